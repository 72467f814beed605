import { newEvent, topic } from '@millrace/event'
import { appendOne, createMemoryLog } from '@millrace/log'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { run } from '../engine/run.ts'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { processor } from '../model/processor.ts'
import { state } from '../model/state.ts'
import { compareShadow } from './compare-shadow.ts'
import { shadowChannel, type ShadowNews } from './shadow-news.ts'
import { watchShadow } from './watch-shadow.ts'

const orders = topic('orders', { types: { Ordered: z.object({ price: z.int() }) }, partitions: 2 })

interface Total {
  readonly sum: number
  readonly prices: readonly number[]
}

/** A group that has handled two orders of each of forty keys, and another system that has the same. */
async function scene() {
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const other = new Map<string, Total>()
  let away = false
  const totals = processor('totals', orders, {
    state: state<Total>({ initial: () => ({ sum: 0, prices: [] }) }),
    compare: {
      load: async (key) => {
        if (away) throw new Error('away')
        const found = other.get(key)
        return found && { state: found, asOf: new Date(0) }
      },
      fields: ({ sum, prices }) => ({ sum, prices }),
    },
    handle: ({ data }, context) => {
      const { sum, prices } = context.state
      context.evolve({ sum: sum + data.price, prices: [...prices, data.price] })
    },
  })
  const running = await run(totals, { log, store, emitsTo: [] })
  onTestFinished(() => running.stop())
  const keys = Array.from({ length: 40 }, (_, n) => `k${n}`)
  for (const price of [1, 2])
    for (const key of keys)
      await appendOne(log, orders, { events: [newEvent(orders, { type: 'Ordered', key, data: { price } })] })
  for (const key of keys) other.set(key, { sum: 3, prices: [1, 2] })
  const settled = async () => {
    const looks = [0, 1].map((partition) => store.look({ topic: orders, partition, group: 'totals' }))
    return (await Promise.all(looks)).reduce((sum, { position }) => sum + position.seq, 0)
  }
  while ((await settled()) < 80) await new Promise((resolve) => setTimeout(resolve, 1))
  const setAway = (is: boolean) => {
    away = is
  }
  return { log, store, totals, other, setAway }
}

test('none where there are none, and each of those that were planted, by field, with its events', async () => {
  const { log, store, totals, other } = await scene()
  const options = { log, store, settleMs: 1 }
  expect(await compareShadow(totals, options)).toMatchObject({
    ...{ same: 40, different: 0, moved: 0, untouched: 0, unanswered: 0, differences: [] },
    fields: new Map([
      ['prices', 0],
      ['sum', 0],
    ]),
  })
  other.set('k7', { sum: 4, prices: [1, 2] })
  other.set('k8', { sum: 4, prices: [2, 2] })
  other.delete('k9')
  const report = await compareShadow(totals, options)
  expect(report).toMatchObject({ same: 37, different: 3 })
  expect([...report.fields]).toEqual([
    ['prices', 2],
    ['sum', 3],
  ])
  expect(report.differences.map(({ key, fields }) => [key, fields])).toEqual([
    ['k7', [{ field: 'sum', here: 3, there: 4 }]],
    [
      'k8',
      [
        { field: 'sum', here: 3, there: 4 },
        { field: 'prices', here: [1, 2], there: [2, 2] },
      ],
    ],
    [
      'k9',
      [
        { field: 'sum', here: 3, there: 0 },
        { field: 'prices', here: [1, 2], there: [] },
      ],
    ],
  ])
  const [first] = report.differences
  expect(first?.events.map(({ type }) => type)).toEqual(['Ordered', 'Ordered'])
})

test('what differs once is looked at again, a key without a record is untouched, and one without an answer is told', async () => {
  const { log, store, totals, other, setAway } = await scene()
  const late = { log, store, keys: ['k3', 'new'] }
  other.set('k3', { sum: 1, prices: [1] })
  const timers = {
    set: (_: number, act: () => void) => {
      other.set('k3', { sum: 3, prices: [1, 2] })
      const timer = setTimeout(act, 0)
      return () => clearTimeout(timer)
    },
  }
  expect(await compareShadow(totals, { ...late, timers })).toMatchObject({
    same: 1,
    different: 0,
    untouched: 1,
  })
  setAway(true)
  expect(await compareShadow(totals, { ...late, settleMs: 1 })).toMatchObject({ unanswered: 1, untouched: 1 })
})

test('a comparison that goes on and on tells its counts to whoever meters them', async () => {
  const { log, store, totals, other } = await scene()
  other.set('k7', { sum: 4, prices: [1, 2] })
  const heard: ShadowNews[] = []
  const hear = (news: unknown) => void heard.push(news as ShadowNews)
  subscribe(shadowChannel, hear)
  onTestFinished(() => void unsubscribe(shadowChannel, hear))
  expect(channel(shadowChannel).hasSubscribers).toBe(true)
  const twice = Promise.withResolvers<void>()
  const watching = watchShadow(totals, {
    ...{ log, store, settleMs: 1, everyMs: 1 },
    report: () => {
      if (heard.length >= 2) twice.resolve()
    },
  })
  await twice.promise
  await watching.stop()
  expect(heard[0]).toMatchObject({ topic: 'orders', group: 'totals' })
  expect(heard[0]?.fields.get('sum')).toBe(1)
})
