import { newEvent, topic } from '@millrace/event'
import { appendOne } from '@millrace/log'
import { z } from 'zod'

const orders = topic('orders', { types: { paid: z.object({ cents: z.int() }) } })
const paid = (cents: number) => ({
  events: [newEvent(orders, { type: 'paid', key: 'ada', data: { cents } })],
})
// #region begin
import { defineEffect, processor, run, state } from '@millrace/processor'
import { connectGroupStore, connectLog } from '@millrace/redis'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const [log, store] = await Promise.all([connectLog({ url }), connectGroupStore({ url })])
const thank = defineEffect('thank', {
  schema: z.object({ cents: z.int() }),
  run: ({ cents }, { key }) => console.log(`thanks to ${key} for ${cents}`),
})
const totals = processor('totals', orders, {
  state: state({ initial: () => ({ cents: 0 }) }),
  effects: [thank],
  handle: ({ data }, context) => {
    context.evolve({ cents: context.state.cents + data.cents })
    context.effect(thank, data)
  },
})
await appendOne(log, orders, paid(500))
// A new group: the whole history is folded, and nobody is thanked for what was paid before it.
const running = await run(totals, { log, store, from: 'earliest', effectsFrom: 'latest' })
const then = await appendOne(log, orders, paid(700))
// #endregion

const { position } = (await log.readKey(orders, 'ada')).events[1] ?? {}
if (then.status !== 'appended' || position === undefined) throw new Error('nothing was appended')
const at = { topic: orders, partition: position.partition, group: 'totals' }
const settled = async () => {
  const { counters } = await store.audit(at)
  return counters.position >= position.seq && counters.effects.confirmed === 1
}
while (!(await settled())) await new Promise((resolve) => setTimeout(resolve, 10))

// #region state-at
import { stateAt } from '@millrace/processor'

const now = await stateAt(totals, { log, store, key: 'ada' })
const before = await stateAt(totals, {
  log,
  store,
  key: 'ada',
  position: { ...position, seq: position.seq - 1 },
})
console.log(now.state, before.state)
// #endregion
await running.stop()

// #region replay
import { replay } from '@millrace/processor'

// The same group, by a program that counts payments as well.
const counting = processor('totals', orders, {
  state: state({
    initial: () => ({ cents: 0, payments: 0 }),
    version: 2,
    migrate: { 1: (old) => ({ ...(old as { cents: number }), payments: 0 }) },
  }),
  effects: [thank],
  handle: ({ data }, context) => {
    const { cents, payments } = context.state
    context.evolve({ cents: cents + data.cents, payments: payments + 1 })
    context.effect(thank, data)
  },
})
const { folded, withheld, switched } = await replay(counting, { log, store, finish: 'switch' })
console.log(`${folded} events, ${withheld.effects} effects withheld, switched: ${switched}`)
console.log((await stateAt(counting, { log, store, key: 'ada' })).state)
// #endregion
await Promise.all([log.close(), store.close()])

// Prints:
// thanks to ada for 700
// { cents: 1200 } { cents: 500 }
// 2 events, 2 effects withheld, switched: true
// { cents: 1200, payments: 2 }
