import { newEvent } from '@millrace/event'
import { appendOne, createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore, run } from '@millrace/processor'
import { afterEach, describe, expect, it } from 'vitest'
import { randomOf, testSeed } from '../../../../test/support/random.ts'
import { leadsOf } from '../domain/buyer.ts'
import { foldFacts } from '../domain/fold-facts.ts'
import type { OfferFact } from '../domain/offer-fact.ts'
import { leadsProcessor } from '../leads-processor.ts'
import { offers } from '../offers-topic.ts'
import { eventOf, partitionOfBuyer, stateOf } from '../testing/events.ts'
import { CountingDesk } from '../testing/flaky.ts'
import { fact, randomHistory, shuffled, withDuplicates } from '../testing/histories.ts'
import { LegacyInMemory } from '../testing/legacy-in-memory.ts'

const seed = testSeed()
const stopping: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop()
})

const bounds = { retry: { firstMs: 5, maxMs: 200 }, deferBeatMs: 20, retrySweepMs: 200, quickRetries: 0 }

/** Two members of the group on one log, in memory. */
async function start(legacy: LegacyInMemory, members = 1) {
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const desk = new CountingDesk()
  const processor = leadsProcessor({ desk, legacy })
  for (let n = 0; n < members; n++) {
    const running = await run(processor, { log, store, ...bounds })
    stopping.push(() => running.stop())
  }
  const put = async (buyer: string, ...facts: readonly OfferFact[]) => {
    for (const one of facts) await appendOne(log, offers, { events: [eventOf(buyer, one)] })
  }
  return { log, store, desk, processor, put }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10))
}

const known = [fact('OfferMade', 1, 1), fact('OfferAccepted', 1, 2)]

describe(`a buyer whom the legacy system knows (seed ${seed})`, () => {
  it('is taken over with his first event, and nothing is done twice', async () => {
    const legacy = new LegacyInMemory()
    legacy.know('ada', known)
    const { store, desk, put } = await start(legacy)
    await put('ada', fact('OfferAccepted', 1, 2), fact('OfferMade', 2, 1), fact('AcceptanceWithdrawn', 1, 3))
    await until(async () => leadsOf(await stateOf(store, 'ada')).low)
    await until(async () => desk.of('ada').calls.size === 1 && desk.of('ada').quotes.size === 1)
    // The call that legacy had is called off; the first offer has its quote, he was contacted.
    expect(desk.of('ada')).toEqual({
      quotes: new Set(['o2']),
      contacts: 0,
      calls: new Map([['o1.2', 'cancelled']]),
      mails: new Set(),
    })
    expect(legacy.asked.get('ada')).toBe(1)
    const taken = await store.migrations(partitionOfBuyer('ada'), ['ada'])
    expect(taken.size).toBe(1)
  })

  it('without numbers is not told a second time what the as-of covers', async () => {
    const legacy = new LegacyInMemory()
    legacy.know('ada', known, '2026-01-01T10:00:00.000Z')
    const { log, store, put } = await start(legacy)
    const again = { ...fact('OfferAccepted', 1), offerSeq: undefined }
    const data = { offer: again.offer, car: again.car }
    const covered = newEvent(offers, {
      type: 'OfferAccepted',
      key: 'ada',
      data,
      time: '2026-01-01T09:00:00Z',
    })
    await appendOne(log, offers, { events: [covered] })
    await put('ada', { ...fact('AcceptanceWithdrawn', 1), offerSeq: undefined })
    await until(async () => leadsOf(await stateOf(store, 'ada')).low)
    expect(await store.deferred(partitionOfBuyer('ada'), 'ada')).toEqual([])
  })

  it.each([1, 2])(
    'and 499 others wait while it is away, others go on, and each is taken over once (%i members)',
    async (members) => {
      const legacy = new LegacyInMemory()
      const buyers = Array.from({ length: 500 }, (_, n) => `b${n}`)
      for (const buyer of buyers) legacy.know(buyer, known)
      const { store, desk, put } = await start(legacy, members)
      await put('known', ...known)
      await until(async () => leadsOf(await stateOf(store, 'known')).high.length === 1)
      legacy.away = () => true
      for (const buyer of buyers) await put(buyer, fact('AcceptanceWithdrawn', 1, 3))
      await until(async () => (await parkedKeys(store)).size === 500)
      await put('known', fact('AcceptanceWithdrawn', 1, 3))
      await until(async () => leadsOf(await stateOf(store, 'known')).low)
      expect((await parkedKeys(store)).size).toBe(500)
      legacy.away = () => false
      await until(async () => (await parkedKeys(store)).size === 0)
      for (const buyer of buyers) {
        expect([buyer, leadsOf(await stateOf(store, buyer))]).toEqual([buyer, { low: true, high: [] }])
        expect((await store.migrations(partitionOfBuyer(buyer), [buyer])).size).toBe(1)
      }
      await until(async () => buyers.every((buyer) => desk.of(buyer).calls.size === 1))
      expect(buyers.filter((buyer) => desk.of(buyer).contacts + desk.of(buyer).quotes.size > 0)).toEqual([])
    },
  )

  it('ends the same, whatever of his history legacy had when he was taken over', async () => {
    const random = randomOf(seed)
    const legacy = new LegacyInMemory()
    legacy.away = () => random() < 0.2
    const { store, put } = await start(legacy, 2)
    const cases = Array.from({ length: 60 }, (_, n) => {
      const history = randomHistory(random, 1 + Math.floor(random() * 30), 1 + (n % 3))
      const before = history.slice(0, Math.floor(random() * history.length))
      if (before.length > 0) legacy.know(`b${n}`, before)
      return { buyer: `b${n}`, history, order: shuffled(random, withDuplicates(random, history, 0.2)) }
    })
    await Promise.all(cases.map(({ buyer, order }) => put(buyer, ...order)))
    await until(async () => {
      const all = await Promise.all(cases.map(({ buyer }) => stateOf(store, buyer)))
      return cases.every(({ history }, n) => {
        const right = Object.entries(foldFacts(history).buyer.offers)
        return right.every(([id, { seq }]) => all[n]?.offers[id]?.seq === seq)
      })
    })
    for (const { buyer, history } of cases) {
      const found = leadsOf(await stateOf(store, buyer))
      expect([buyer, found]).toEqual([buyer, leadsOf(foldFacts(history).buyer)])
    }
  })
})

async function parkedKeys(store: Awaited<ReturnType<typeof start>>['store']): Promise<Set<string>> {
  const keys = new Set<string>()
  for (let partition = 0; partition < offers.partitions; partition++) {
    const at = { topic: offers, partition, group: 'leads' }
    for (const { key } of (await store.parked(at, { limit: 1_000 })).items) keys.add(key)
  }
  return keys
}
