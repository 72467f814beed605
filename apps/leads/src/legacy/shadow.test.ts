import { appendOne, createMemoryLog } from '@millrace/log'
import { compareShadow, createMemoryGroupStore, dropStates, type GroupStore, run } from '@millrace/processor'
import { afterEach, describe, expect, it } from 'vitest'
import { randomOf, testSeed } from '../../../../test/support/random.ts'
import { leadsOf } from '../domain/buyer.ts'
import { foldFacts } from '../domain/fold-facts.ts'
import type { OfferFact } from '../domain/offer-fact.ts'
import { leadsProcessor } from '../leads-processor.ts'
import { offers } from '../offers-topic.ts'
import { eventOf, partitionOfBuyer, stateOf } from '../testing/events.ts'
import { CountingDesk } from '../testing/flaky.ts'
import { fact, randomHistory, shuffled } from '../testing/histories.ts'
import { LegacyInMemory } from '../testing/legacy-in-memory.ts'
import { tellLegacy } from './tell-legacy.ts'

const seed = testSeed()
const stopping: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop()
})

const bounds = { retry: { firstMs: 5, maxMs: 20 }, deferBeatMs: 20, retrySweepMs: 200 }

/** Leads beside the legacy system, which is told everything and stays the main one. */
async function beside() {
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const [legacy, desk] = [new LegacyInMemory(), new CountingDesk()]
  const processor = leadsProcessor({ desk, legacy, initially: 'none' })
  const told: { readonly buyer: string; readonly type: string; readonly act: boolean }[] = []
  const tell = legacy.tell.bind(legacy)
  Object.assign(legacy, {
    tell: async (...[buyer, one, act]: Parameters<typeof tell>) => {
      await tell(buyer, one, act)
      told.push({ buyer, type: one.type, act })
    },
  })
  const heeded = watchLooks(store)
  const running = await run(processor, { log, store, ...bounds })
  const feed = await tellLegacy({ log, store, legacy, leads: processor })
  stopping.push(
    () => feed.stop(),
    () => running.stop(),
  )
  const put = async (buyer: string, ...facts: readonly OfferFact[]) => {
    for (const one of facts) await appendOne(log, offers, { events: [eventOf(buyer, one)] })
  }
  /** Resolves when both have everything of a buyer that was appended. */
  const settled = (buyer: string, facts: number) =>
    until(async () => {
      const known = Object.values((await stateOf(store, buyer)).offers)
      const here = known.reduce((sum, { seq }) => sum + seq, 0)
      return here === facts && (legacy.facts.get(buyer) ?? []).length >= facts
    })
  return { log, store, desk, legacy, processor, told, put, settled, heeded }
}

/** Answers a function that resolves when the owner of a partition has looked again whose effects are to be carried out. */
function watchLooks(store: Pick<GroupStore, 'shadow'>) {
  let [begun, ended] = [0, 0]
  const shadow = store.shadow.bind(store)
  store.shadow = async (at) => {
    const look = at.partition === partitionOfBuyer('ada').partition ? ++begun : 0
    const record = await shadow(at)
    ended = Math.max(ended, look)
    return record
  }
  return () => {
    const before = begun
    return until(async () => ended > before)
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('leads in the shadow of the legacy system', () => {
  it('does nothing for a buyer who is not promoted; the legacy system does', async () => {
    const { store, desk, told, put, settled } = await beside()
    await put('ada', fact('OfferMade', 1, 1), fact('OfferAccepted', 1, 2))
    await settled('ada', 2)
    expect(leadsOf(await stateOf(store, 'ada')).high).toEqual(['car1'])
    const { items } = await store.withheldEffects(partitionOfBuyer('ada'))
    const names = items.map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1))
    expect(names).toEqual(['call', 'contact', 'quote', 'tell-accepted'])
    expect(desk.of('ada')).toEqual({ quotes: new Set(), contacts: 0, calls: new Map(), mails: new Set() })
    expect(told.map(({ act }) => act)).toEqual([true, true])
  })

  it('does what is new for a promoted buyer, and leaves it to the other when he is demoted', async () => {
    const { store, desk, told, put, settled, heeded } = await beside()
    const at = partitionOfBuyer('ada')
    const order = { by: 'ann', reason: 'a test' }
    await put('ada', fact('OfferMade', 1, 1))
    await settled('ada', 1)
    await store.setShadow(at, { ...order, keys: [{ key: 'ada', promoted: true }] })
    await heeded()
    await put('ada', fact('OfferAccepted', 1, 2))
    await settled('ada', 2)
    await until(async () => desk.of('ada').calls.size === 1)
    await store.setShadow(at, { ...order, keys: [{ key: 'ada', promoted: false }] })
    await heeded()
    await put('ada', fact('AcceptanceWithdrawn', 1, 3), fact('OfferAccepted', 1, 4))
    await settled('ada', 4)
    expect(desk.of('ada').calls).toEqual(new Map([['o1.2', 'open']]))
    expect(desk.of('ada').contacts + desk.of('ada').quotes.size).toBe(0)
    expect(told.map(({ act }) => act)).toEqual([true, false, true, true])
  })

  it(`shows each planted difference, and none where there are none (seed ${seed})`, async () => {
    const { log, store, legacy, processor, put, settled } = await beside()
    const random = randomOf(seed)
    const cases = Array.from({ length: 40 }, (_, n) => {
      const history = randomHistory(random, 2 + Math.floor(random() * 12), 1 + (n % 3))
      return { buyer: `b${n}`, history }
    })
    await Promise.all(cases.map(({ buyer, history }) => put(buyer, ...shuffled(random, history))))
    for (const { buyer, history } of cases) await settled(buyer, history.length)
    const options = { log, store, settleMs: 1 }
    const before = await compareShadow(processor, options)
    expect(before).toMatchObject({ same: 40, different: 0, differences: [] })

    // One that legacy never heard of, ones that it has lost facts of, and one that it has seen more of.
    legacy.facts.delete('b0')
    const planted = new Set(['b0'])
    for (const { buyer, history } of cases.slice(1, 12)) {
      const right = JSON.stringify(foldFacts(history).buyer.offers)
      const last = history.at(-1)
      const facts = (legacy.facts.get(buyer) ?? []).filter(
        ({ offer, offerSeq }) => offer !== last?.offer || offerSeq !== last.offerSeq,
      )
      legacy.facts.set(buyer, facts)
      expect(JSON.stringify(foldFacts(facts).buyer.offers)).not.toBe(right)
      planted.add(buyer)
    }
    legacy.know('b20', [{ ...fact('OfferMade', 9, 1), car: 'never seen' }])
    planted.add('b20')
    const after = await compareShadow(processor, options)
    expect(new Set(after.differences.map(({ key }) => key))).toEqual(planted)
    expect(after.same).toBe(40 - planted.size)
    for (const { fields, events } of after.differences) {
      expect(fields.map(({ field }) => field)).toContain('offers')
      expect(events.length).toBeGreaterThan(0)
    }
  })

  it('is taken over again after its state was dropped, with the next event', async () => {
    const { store, legacy, processor, put, settled } = await beside()
    legacy.know('ada', [fact('OfferMade', 1, 1)])
    await put('ada', fact('OfferMade', 2, 1))
    await settled('ada', 2)
    expect(legacy.asked.get('ada')).toBe(1)
    const order = { by: 'ann', reason: 'mended', keys: ['ada'], history: true }
    expect(await dropStates(processor, { store, ...order })).toEqual({ records: 1, migrations: 1 })
    await put('ada', fact('OfferAccepted', 2, 2))
    await settled('ada', 3)
    expect(legacy.asked.get('ada')).toBe(2)
    expect(leadsOf(await stateOf(store, 'ada')).high).toEqual(['car2'])
  })
})
