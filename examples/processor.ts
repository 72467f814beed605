import { newEvent } from '@millrace/event'
import { appendOne } from '@millrace/log'
// #region processor
import { topic } from '@millrace/event'
import { emit, evolve, processor, run, state } from '@millrace/processor'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { filter } from 'rxjs'
import { z } from 'zod'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const [log, store] = await Promise.all([connectLog({ url }), connectGroupStore({ url })])
const orders = topic('orders', { types: { paid: z.object({ cents: z.int() }) } })
const customers = topic('customers', { types: { promoted: z.object({ cents: z.int() }) } })
const loyalty = processor('loyalty', orders, {
  state: state({ initial: () => 0 }),
  pipeline: (lane) =>
    lane.pipe(
      evolve((sum, { data }) => sum + data.cents),
      filter(({ before, state: sum }) => before < 10_000 && sum >= 10_000),
      emit(customers, ({ state: sum }) => ({ type: 'promoted', data: { cents: sum } })),
    ),
})
const running = await run(loyalty, { log, store })
// #endregion

for (const cents of [6_000, 5_000, 4_000])
  await appendOne(log, orders, { events: [newEvent(orders, { type: 'paid', key: 'ada', data: { cents } })] })

let history = await log.readKey(customers, 'ada')
while (history.version === 0) history = await log.readKey(customers, 'ada')
for (const { event } of history.events) console.log(event.subject, event.type, event.data)
await running.stop()
await Promise.all([log.close(), store.close()])

// Prints:
// ada promoted { cents: 11000 }
