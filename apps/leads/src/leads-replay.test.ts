import { VirtualTime } from '@millrace/event'
import { appendOne, createMemoryLog, type Position } from '@millrace/log'
import { createMemoryGroupStore, replay, run, stateAt } from '@millrace/processor'
import { given, startKit } from '@millrace/testing'
import { describe, expect, it } from 'vitest'
import { randomOf, testSeed } from '../../../test/support/random.ts'
import { leadsOf, newBuyer } from './domain/buyer.ts'
import { foldFacts } from './domain/fold-facts.ts'
import type { FactType, OfferFact } from './domain/offer-fact.ts'
import { leadsProcessor } from './leads-processor.ts'
import { offers } from './offers-topic.ts'
import { eventOf, partitionOfBuyer, stateOf } from './testing/events.ts'
import { CountingDesk } from './testing/flaky.ts'
import { fact, randomHistory, shuffled, withDuplicates } from './testing/histories.ts'

const seed = testSeed()

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Many buyers with histories out of order, handled to the end. */
async function played(buyers: number) {
  const random = randomOf(seed)
  const time = new VirtualTime(1_700_000_000_000)
  const log = createMemoryLog({ clock: time, timers: time })
  const store = createMemoryGroupStore({ log })
  const desk = new CountingDesk()
  const processor = leadsProcessor({ desk })
  const cases = Array.from({ length: buyers }, (_, n) => {
    const history = randomHistory(random, 1 + Math.floor(random() * 30), 1 + (n % 3))
    return { buyer: `b${n}`, history, order: shuffled(random, withDuplicates(random, history, 0.2)) }
  })
  const running = await run(processor, { log, store, deferBeatMs: 20 })
  const positions = new Map<string, Position[]>()
  for (const { buyer, order } of cases)
    for (const one of order) {
      time.advance(1_000)
      const result = await appendOne(log, offers, { events: [eventOf(buyer, one)] })
      const [position] = result.status === 'appended' ? result.positions : []
      if (position) positions.set(buyer, [...(positions.get(buyer) ?? []), position])
    }
  await until(async () => {
    let open = 0
    for (let partition = 0; partition < offers.partitions; partition++) {
      const at = { topic: offers, partition, group: 'leads' }
      const { tip, position, deferred, effects } = (await store.audit(at)).counters
      open += tip - position + deferred + effects.pending + effects.parked
    }
    return open === 0
  })
  await running.stop()
  return { log, store, desk, processor, cases, positions }
}

describe(`the past (seed ${seed})`, () => {
  it('is answered for any position and time, as the fold of the events up to then', async () => {
    const { log, store, processor, cases, positions } = await played(40)
    for (const { buyer, order } of cases)
      for (const [at, position] of (positions.get(buyer) ?? []).entries()) {
        const right = leadsOf(foldFacts(order.slice(0, at + 1)).buyer)
        const then = await stateAt(processor, { log, store, key: buyer, position })
        expect([buyer, at, leadsOf(then.state)]).toEqual([buyer, at, right])
        const time = new Date(Number(position.id.split('-')[0]))
        const alike = await stateAt(processor, { log, store, key: buyer, time })
        expect([buyer, at, leadsOf(alike.state)]).toEqual([buyer, at, right])
      }
  })

  it('is folded anew by a replay without one quote, call or mail', async () => {
    const { log, store, desk, processor, cases } = await played(400)
    const done = JSON.stringify([...desk.done], (_, of: unknown) =>
      of instanceof Set || of instanceof Map ? [...of] : of,
    )
    const report = await replay(processor, { log, store, finish: 'compare', compareEmits: false })
    expect(report.differences?.different ?? 0).toBe(0)
    expect(report.withheld.effects).toBeGreaterThan(400)
    const switched = await replay(processor, { log, store, finish: 'switch', compareEmits: false })
    expect(switched.switched).toBe(true)
    for (const { buyer, history } of cases)
      expect(leadsOf(await stateOf(store, buyer))).toEqual(leadsOf(foldFacts(history).buyer))
    expect(
      JSON.stringify([...desk.done], (_, of: unknown) =>
        of instanceof Set || of instanceof Map ? [...of] : of,
      ),
    ).toBe(done)
  })
})

const withdrawnFirst = [
  fact('AcceptanceWithdrawn', 1, 3),
  fact('OfferMade', 1, 1),
  fact('OfferAccepted', 1, 2),
]
const drafts = (facts: readonly OfferFact[]) =>
  facts.map(({ type, ...data }) =>
    type === 'OfferMade'
      ? { key: 'ada', type, data: { ...data, price: 1 } }
      : { key: 'ada', type: type as Exclude<FactType, 'OfferMade'>, data },
  )

describe('an acceptance that is withdrawn before it is heard of', () => {
  it('ends as a wrong high lead when what is out of turn is ignored, and right when it waits', async () => {
    const desk = new CountingDesk()
    const ignoring = leadsProcessor({ desk, onUnmet: { AcceptanceWithdrawn: 'ignore' } })
    const wrong = await given(ignoring)
      .when(...drafts(withdrawnFirst))
      .outcome()
    expect(wrong.state && leadsOf(wrong.state)).toEqual({ low: false, high: ['car1'] })
    const right = await given(leadsProcessor({ desk }))
      .when(...drafts(withdrawnFirst))
      .outcome()
    expect(right.state && leadsOf(right.state)).toEqual({ low: true, high: [] })
    expect(right.deferred).toEqual([])
    const strict = leadsProcessor({ desk, onUnmet: { AcceptanceWithdrawn: 'dead' } })
    const dead = await given(strict)
      .when(...drafts(withdrawnFirst))
      .outcome()
    expect(dead.dead).toMatchObject([{ key: 'ada', type: 'AcceptanceWithdrawn' }])
  })

  it('is a dead letter that names what was missing when that never comes; put back by hand it ends right', async () => {
    const kit = await startKit(leadsProcessor({ desk: new CountingDesk() }), {
      deferMs: 60_000,
      deferBeatMs: 1_000,
    })
    await kit.append(...drafts(withdrawnFirst.slice(0, 1)))
    await kit.pass(62_000)
    const { dead, deferred } = await kit.outcome('ada')
    expect(deferred).toEqual([])
    expect(dead).toHaveLength(1)
    expect(dead[0]?.reason).toContain('fact 1 of offer o1 has not come; this is its fact 3')
    await kit.append(...drafts(withdrawnFirst.slice(1)))
    expect(leadsOf((await kit.state('ada')) ?? newBuyer).high).toEqual(['car1'])
    const at = partitionOfBuyer('ada')
    const order = { id: 'r1', kind: 'requeued', by: 'ann', reason: 'it has come', force: true } as const
    const [letter] = await kit.store.deadLetters(at)
    await kit.store.rule(at, { ...order, seq: letter?.seq ?? 0, key: 'ada' })
    for (let n = 0; n < 5; n++) await kit.pass(1_000)
    expect((await kit.outcome('ada')).dead).toEqual([])
    expect(leadsOf((await kit.state('ada')) ?? newBuyer)).toEqual({ low: true, high: [] })
    await kit.stop()
  })
})
