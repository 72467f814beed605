import { startKit, type TestKit } from '@millrace/testing'
import { describe, expect, it } from 'vitest'
import { randomOf, testSeed } from '../../../test/support/random.ts'
import { type Buyer, leadsOf, newBuyer } from './domain/buyer.ts'
import { foldFacts } from './domain/fold-facts.ts'
import type { OfferFact } from './domain/offer-fact.ts'
import { type LeadsProcessor, leadsProcessor } from './leads-processor.ts'
import { offers } from './offers-topic.ts'
import { CountingDesk, doneOf, flaky } from './testing/flaky.ts'
import { fact, permutations, randomHistory, shuffled, withDuplicates } from './testing/histories.ts'

const seed = testSeed()

interface Case {
  readonly buyer: string
  readonly history: readonly OfferFact[]
  /** As they arrive. */
  readonly order: readonly OfferFact[]
}

/** Many buyers through one processor, their facts mixed; answers what is wrong in the end. */
async function play(
  cases: readonly Case[],
  faults: { readonly handler: number; readonly desk: number },
  mend: (processor: LeadsProcessor) => LeadsProcessor = (processor) => processor,
) {
  const random = randomOf(seed)
  const desk = new CountingDesk(() => random() < faults.desk)
  const { processor, failures } = flaky(mend(leadsProcessor({ desk })), random, faults.handler)
  const kit = await startKit(processor, {
    carryOut: true,
    attempts: Number.POSITIVE_INFINITY,
    effectAttempts: Number.POSITIVE_INFINITY,
    handlerTimeoutMs: Number.POSITIVE_INFINITY,
    effectsWaiting: 1_000_000,
  })
  try {
    const queues = cases.map(({ buyer, order }) => ({ buyer, rest: [...order] }))
    while (queues.length > 0) {
      // Of each buyer the next ones, a few at a time: all are on the way at once.
      const batch = queues.flatMap(({ buyer, rest }) =>
        rest.splice(0, 1 + Math.floor(random() * 4)).map((one) => draftOf(buyer, one)),
      )
      await kit.append(...batch)
      for (let at = queues.length - 1; at >= 0; at--) if (queues[at]?.rest.length === 0) queues.splice(at, 1)
    }
    for (let rounds = 0; rounds < 200 && (await unsettled(kit)); rounds++) await kit.pass(60_000)
    return { wrong: await differences(kit, cases, desk), failed: failures(), deskFailed: desk.failures }
  } finally {
    await kit.stop()
  }
}

/** Whether keys wait for a retry, events to be offered again, or effects to be carried out. */
async function unsettled(kit: TestKit<typeof offers, Buyer>): Promise<boolean> {
  for (let partition = 0; partition < offers.partitions; partition++) {
    const at = { topic: offers, partition, group: 'leads' }
    const { effects, parked, deferred } = (await kit.store.audit(at)).counters
    if (parked + deferred + effects.pending + effects.parked > 0) return true
  }
  return false
}

async function differences(kit: TestKit<typeof offers, Buyer>, cases: readonly Case[], desk: CountingDesk) {
  const { dead, deferred, parked } = await kit.outcome()
  const wrong = [...dead, ...deferred, ...parked].map(({ key, type, reason }) => `${key} ${type}: ${reason}`)
  for (const { buyer, history } of cases) {
    const right = foldFacts(history)
    const state = (await kit.state(buyer)) ?? newBuyer
    const found = text({ leads: leadsOf(state), done: desk.of(buyer) })
    const wanted = text({ leads: leadsOf(right.buyer), done: doneOf(right.tasks) })
    if (found !== wanted) wrong.push(`${buyer}: ${found} instead of ${wanted}`)
  }
  return wrong
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, of: unknown) =>
    of instanceof Set
      ? [...of].map(String).toSorted()
      : of instanceof Map
        ? [...of].map((entry) => entry.join(' ')).toSorted()
        : of,
  )
}

function draftOf(key: string, { type, ...data }: OfferFact) {
  return type === 'OfferMade'
    ? { key, type, data: { ...data, price: data.price ?? 1 } }
    : { key, type, data: { offer: data.offer, car: data.car, offerSeq: data.offerSeq } }
}

const example = [
  fact('OfferMade', 1, 1),
  fact('OfferAccepted', 1, 2),
  fact('OfferMade', 2, 1),
  fact('OfferAccepted', 2, 2),
  fact('AcceptanceWithdrawn', 1, 3),
]

/** Every order of a history, each with a buyer of its own. */
function everyOrder(history: readonly OfferFact[], name: string): Case[] {
  return permutations(history).map((order, at) => ({ buyer: `${name}-${at}`, history, order }))
}

describe(`every order of a history comes to the same (seed ${seed})`, () => {
  it('with all orders of the example and of histories of up to 6 facts, and handlers that fail', async () => {
    const random = randomOf(seed)
    const cases = [
      ...everyOrder(example, 'example'),
      ...everyOrder(randomHistory(random, 5, 2), 'five'),
      ...everyOrder(randomHistory(random, 6, 3), 'six'),
    ]
    const { wrong, failed, deskFailed } = await play(cases, { handler: 0.02, desk: 0.02 })
    expect(wrong.slice(0, 5)).toEqual([])
    expect([failed > 0, deskFailed > 0]).toEqual([true, true])
  })

  it('with all orders of a history of 7 facts', async () => {
    const { wrong } = await play(everyOrder(randomHistory(randomOf(seed), 7, 2), 'seven'), {
      handler: 0,
      desk: 0,
    })
    expect(wrong.slice(0, 5)).toEqual([])
  }, 600_000)

  it('with long histories of several buyers, duplicates, and failures of every handler', async () => {
    const random = randomOf(seed)
    const cases = Array.from({ length: 60 }, (_, at) => {
      const history = randomHistory(random, 1 + Math.floor(random() * 60), 1 + (at % 6))
      return { buyer: `b${at}`, history, order: shuffled(random, withDuplicates(random, history, 0.2)) }
    })
    const { wrong, failed, deskFailed } = await play(cases, { handler: 0.1, desk: 0.1 })
    expect(wrong.slice(0, 5)).toEqual([])
    expect([failed > 0, deskFailed > 0]).toEqual([true, true])
  })

  it('planted: a processor that takes facts as they come is found out', async () => {
    const bug = (processor: LeadsProcessor): LeadsProcessor => ({
      ...processor,
      onUnmet: new Map([['AcceptanceWithdrawn', 'ignore']]),
    })
    const { wrong } = await play(everyOrder(example, 'bug'), { handler: 0, desk: 0 }, bug)
    expect(wrong.length).toBeGreaterThan(0)
  })
})
