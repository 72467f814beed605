// #region quick-start
import { newEvent, topic } from '@millrace/event'
import { appendOne } from '@millrace/log'
import { connectLog } from '@millrace/redis'
import { z } from 'zod'

const placed = z.object({ item: z.string(), quantity: z.int().positive() })
const orders = topic('orders', { types: { placed, paid: z.object({ cents: z.int() }) } })
const log = await connectLog({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' })

const order = newEvent(orders, { type: 'placed', key: 'order-1', data: { item: 'lamp', quantity: 2 } })
const payment = newEvent(orders, { type: 'paid', key: 'order-1', data: { cents: 4200 } })
const first = await appendOne(log, orders, { events: [order, payment] })
const again = await appendOne(log, orders, { events: [order, payment] }) // as after a timeout
console.log(first.status, again.status)

const history = await log.readKey(orders, 'order-1')
for (const { position, event } of history.events) console.log(position.seq, event.type, event.data)
await log.close()

// Prints:
// appended duplicate
// 1 placed { item: 'lamp', quantity: 2 }
// 2 paid { cents: 4200 }
// #endregion
