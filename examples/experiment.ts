import { accounts } from '@millrace/accounts'
import { newEvent } from '@millrace/event'
import { connectLog } from '@millrace/redis'

const log = await connectLog({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' })
// Somebody has signed up; the same events each time, so that a second run adds nothing.
for (const [n, email] of ['ada@example.org', 'grace@example.com', 'alan@example.org'].entries()) {
  const data = { username: `Visitor ${n}`, email, passwordHash: '$argon2id$x' }
  const event = newEvent(accounts, { type: 'AccountCreated', key: `visitor-${n}`, data, id: `sign-up-${n}` })
  await log.append(accounts, [{ events: [event] }])
}

// #region experiment
import { createMemoryGroupStore, processor, run } from '@millrace/processor'

const tips = await log.tips(accounts)
const waiting = new Set(tips.flatMap(({ partition, seq }) => (seq > 0 ? [partition] : [])))
const hosts = new Map<string, number>()
const done = Promise.withResolvers<void>()

const whichHosts = processor('which-hosts', accounts, {
  handle: (event, { position }) => {
    if (event.type === 'AccountCreated') {
      const host = event.data.email.split('@').at(-1) ?? ''
      hosts.set(host, (hosts.get(host) ?? 0) + 1)
    }
    if (position.seq === tips[position.partition]?.seq) waiting.delete(position.partition)
    if (waiting.size === 0) done.resolve()
  },
})
// Leases and positions in this process, not in Redis.
const experiment = await run(whichHosts, { log, store: createMemoryGroupStore({ log }) })
await done.promise
await experiment.stop()
console.log([...hosts].toSorted(([, a], [, b]) => b - a))

// Prints:
// [ [ 'example.org', 2 ], [ 'example.com', 1 ] ]
// #endregion
await log.close()
