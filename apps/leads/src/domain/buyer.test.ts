import { describe, expect, it } from 'vitest'
import { randomOf, testSeed } from '../../../../test/support/random.ts'
import { fact, permutations, randomHistory, shuffled, withDuplicates } from '../testing/histories.ts'
import { type Buyer, leadsOf, newBuyer, openOffers } from './buyer.ts'
import { foldFacts } from './fold-facts.ts'
import { judgeFact } from './judge-fact.ts'
import type { OfferFact } from './offer-fact.ts'
import { type SalesTask, settleBuyer } from './settle-buyer.ts'

const made = (offer: number, seq = 1) => fact('OfferMade', offer, seq)
const accepted = (offer: number, seq = 2) => fact('OfferAccepted', offer, seq)
const taken = (offer: number, seq = 3) => fact('AcceptanceWithdrawn', offer, seq)
const rejected = (offer: number, seq: number) => fact('OfferRejected', offer, seq)
const withdrawn = (offer: number, seq: number) => fact('OfferWithdrawn', offer, seq)

/** The leads after each of some facts. */
function rows(...facts: OfferFact[]): string[] {
  return facts.map((_, at) => {
    const { low, high } = leadsOf(foldFacts(facts.slice(0, at + 1)).buyer)
    return `${low} ${high.join(' ') || '–'}`
  })
}

describe('leads', () => {
  it('are as the table says', () => {
    expect(rows(made(1), accepted(1), made(2), accepted(2), taken(1))).toEqual([
      'true –',
      'false car1',
      'false car1',
      'false car1 car2',
      'false car2',
    ])
  })

  it('end the same when both offers are made first', () => {
    expect(rows(made(1), made(2), accepted(1), accepted(2), taken(1))).toEqual([
      'true –',
      'true –',
      'false car1',
      'false car1 car2',
      'false car2',
    ])
  })

  it('are low again when the acceptance of the only offer is withdrawn', () => {
    expect(rows(made(1), accepted(1), taken(1))).toEqual(['true –', 'false car1', 'true –'])
  })

  it('end with the offer: the high one of its car, and the low one when no open offer is left', () => {
    expect(rows(made(1), rejected(1, 2))).toEqual(['true –', 'false –'])
    expect(rows(made(1), withdrawn(1, 2))).toEqual(['true –', 'false –'])
    expect(rows(made(1), accepted(1), rejected(1, 3))).toEqual(['true –', 'false car1', 'false –'])
    expect(rows(made(1), made(2), accepted(1), withdrawn(1, 3))).toEqual([
      'true –',
      'true –',
      'false car1',
      'true –',
    ])
    expect(openOffers(foldFacts([made(1), made(2), rejected(2, 2)]).buyer)).toBe(1)
  })

  it('name a car once that two offers of a buyer are accepted for', () => {
    const same = { ...made(2), car: 'car1' }
    const { buyer } = foldFacts([made(1), same, accepted(1), { ...accepted(2), car: 'car1' }])
    expect(leadsOf(buyer).high).toEqual(['car1'])
  })
})

describe('a fact out of turn', () => {
  it('waits for the one before, and says which that is', () => {
    expect(judgeFact(newBuyer, taken(1))).toEqual({
      waitsFor: 'fact 1 of offer o1 has not come; this is its fact 3',
    })
    const { buyer, waiting } = foldFacts([taken(1), accepted(1)])
    expect([buyer, waiting.length]).toEqual([newBuyer, 2])
    expect(foldFacts([taken(1), accepted(1), made(1)]).waiting).toEqual([])
  })

  it('changes nothing when its number was there before', () => {
    const { buyer } = foldFacts([made(1), accepted(1)])
    for (const again of [made(1), accepted(1), taken(1, 2)]) expect(judgeFact(buyer, again)).toBe('duplicate')
  })

  it('without a number waits until it fits its type', () => {
    const bare = [fact('AcceptanceWithdrawn', 1), fact('OfferAccepted', 1), fact('OfferMade', 1)]
    expect(judgeFact(newBuyer, bare[0] as OfferFact)).toEqual({
      waitsFor: 'offer o1 has not been accepted: no OfferAccepted',
    })
    for (const order of permutations(bare)) {
      const { buyer, waiting } = foldFacts(order)
      expect([leadsOf(buyer), waiting]).toEqual([{ low: true, high: [] }, []])
    }
  })

  it('without numbers: made, rejected, accepted, made can end in two ways', () => {
    const ends = permutations(['OfferMade', 'OfferRejected', 'OfferAccepted', 'OfferMade'] as const).map(
      (types) => {
        const { buyer, waiting } = foldFacts(types.map((type) => fact(type, 1)))
        return `${rowOf(buyer)}, ${waiting.length} waiting`
      },
    )
    expect([...new Set(ends)].toSorted()).toEqual(['false car1, 0 waiting', 'true –, 0 waiting'])
  })
})

describe('what is to be done', () => {
  it('is one quote an offer, one contact a buyer, one call and one mail an acceptance', () => {
    const { tasks } = foldFacts([made(1), made(2), accepted(1), taken(1), accepted(1, 4), rejected(1, 5)])
    expect(tasks.map((task) => words(task))).toEqual([
      'quote o1',
      'contact',
      'quote o2',
      'call o1 2',
      'tell-accepted o1 2',
      'cancel-call o1 2',
      'call o1 4',
      'tell-accepted o1 4',
      'cancel-call o1 4',
    ])
  })

  it('is nothing the second time', () => {
    const { buyer } = foldFacts([made(1), accepted(1)])
    expect(settleBuyer(buyer)).toEqual({ buyer, tasks: [] })
  })

  it('is no second quote when an offer is made again after its end', () => {
    const { tasks } = foldFacts([made(1), rejected(1, 2), made(1, 3)])
    expect(tasks.map((task) => words(task))).toEqual(['quote o1', 'contact'])
  })
})

const seed = testSeed()

describe(`every order of a history (seed ${seed})`, () => {
  it('comes to the same, all orders of short histories', () => {
    const random = randomOf(seed)
    for (let n = 0; n < 12; n++) {
      const history = randomHistory(random, 3 + (n % 4), 1 + (n % 3))
      const right = end(history)
      for (const order of permutations(history))
        expect({ ...end(order), of: text(history) }).toEqual({ ...right, of: text(history) })
    }
  })

  it('comes to the same, some orders of long ones with duplicates', () => {
    const random = randomOf(seed)
    for (let n = 0; n < 300; n++) {
      const history = randomHistory(random, 1 + Math.floor(random() * 60), 1 + (n % 5))
      const order = shuffled(random, withDuplicates(random, history))
      expect({ ...end(order), of: text(history) }).toEqual({ ...end(history), of: text(history) })
    }
  })
})

function rowOf(buyer: Buyer): string {
  const { low, high } = leadsOf(buyer)
  return `${low} ${high.join(' ') || '–'}`
}

function words(task: SalesTask): string {
  if (task.kind === 'contact') return task.kind
  return `${task.kind} ${task.offer}${'acceptance' in task ? ` ${task.acceptance}` : ''}`
}

function end(facts: readonly OfferFact[]) {
  const { buyer, tasks, waiting } = foldFacts(facts)
  return {
    leads: leadsOf(buyer),
    tasks: tasks.map((task) => words(task)).toSorted(),
    waiting: waiting.length,
  }
}

function text(history: readonly OfferFact[]): string {
  return `seed ${seed}: ${history.map(({ type, offer, offerSeq }) => `${type} ${offer}/${offerSeq}`).join(', ')}`
}
