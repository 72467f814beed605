import { newEvent, topic } from '@millrace/event'
import { appendOne } from '@millrace/log'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { z } from 'zod'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const [log, store] = await Promise.all([connectLog({ url }), connectGroupStore({ url })])
const orders = topic('orders', { types: { paid: z.object({ cents: z.int() }) } })
const paid = (cents: number) => ({
  events: [newEvent(orders, { type: 'paid', key: 'ada', data: { cents } })],
})
const askOldSystem = (key: string, _signal: AbortSignal) =>
  Promise.resolve(key === 'ada' ? { cents: 1_000, updatedAt: '2026-01-01T00:00:00Z' } : undefined)

// #region declare
import { defineEffect, processor, run, state } from '@millrace/processor'

const thank = defineEffect('thank', {
  schema: z.object({ cents: z.int() }),
  run: ({ cents }, { key }) => console.log(`thanks to ${key} for ${cents}`),
})
const totals = processor('totals', orders, {
  state: state({
    initial: () => ({ cents: 0 }),
    schema: z.object({ cents: z.int() }),
    // The first event of a key that has no state: the old system is asked once.
    firstTouch: {
      load: async (key, { signal }) => {
        const old = await askOldSystem(key, signal)
        return old && { state: { cents: old.cents }, asOf: new Date(old.updatedAt) }
      },
    },
  }),
  // Effects are recorded and withheld, but for keys that are promoted.
  shadow: {},
  compare: { fields: ({ cents }) => ({ cents }) },
  effects: [thank],
  handle: ({ data }, context) => {
    context.evolve({ cents: context.state.cents + data.cents })
    context.effect(thank, data)
  },
})
// #endregion

const running = await run(totals, { log, store })
await appendOne(log, orders, paid(500))
const { position } = (await log.readKey(orders, 'ada')).events[0] ?? {}
if (position === undefined) throw new Error('nothing was appended')
const at = { topic: orders, partition: position.partition, group: 'totals' }
while ((await store.audit(at)).counters.position < position.seq)
  await new Promise((resolve) => setTimeout(resolve, 10))

// #region look
import { compareShadow, dropStates, readState, stateAt } from '@millrace/processor'

// What it was taken over with, and the events since: 1500.
const { state: present, from, events } = await stateAt(totals, { log, store, key: 'ada', events: 10 })
// A key without events is answered as the old system has it now.
const other = await readState(totals, { log, store, key: 'grace' })
// Keys that differ, field by field; the old system has 1000 still.
const { differences, fields } = await compareShadow(totals, { log, store, settleMs: 10 })
// After a mistake in the program: every key is folded anew with its next event.
const dropped = await dropStates(totals, { store, history: true, by: 'ada', reason: 'cents were euros' })
console.log(
  present,
  from,
  events.map(({ type }) => type),
  other.from,
)
console.log(
  differences.map(({ key }) => key),
  fields,
  dropped,
)
// #endregion
await running.stop()
await Promise.all([log.close(), store.close()])

// Prints:
// { cents: 1500 } record [ 'paid' ] nowhere
// [ 'ada' ] Map(1) { 'cents' => 1 } { records: 1, migrations: 1 }
