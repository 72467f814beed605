import { intent, stateOf } from '@millrace/processor/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { draft, GroupLab } from '../../../test/support/group-lab.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'

let server: TestRedis
let lab: GroupLab
beforeAll(async () => {
  server = await startRedis()
  lab = await GroupLab.open(server.url)
})
afterAll(async () => {
  lab.close()
  await server.stop()
})

test('every key of an ephemeral group has a time to live, and Redis has no group of it', async () => {
  const at = { ...lab.at, expireMs: 600_000 }
  await lab.append('a', 'b')
  const lease = await lab.store.acquire(at, 'one', 1_000)
  if (!lease) throw new Error('The lease is held')
  const parts = {
    states: [stateOf('a', 1, { n: 1 })],
    timers: [{ key: 'a', name: 'v', dueMs: 7 }],
    effects: [intent('one')],
    outbox: [draft(0, 'x')],
  }
  await lab.store.commit(at, { ...lab.next(1, parts), token: lease.token, n: 1 })
  const change = { idempotencyKey: 'one', turn: 0, to: 'confirmed' } as const
  await lab.store.confirmEffects(at, lease.token, [change])
  await lab.store.renew(at, { token: lease.token, n: 1 }, 1_000)
  const names = (await lab.redis.keys(`*{${lab.topic.name}}*`)).filter((name) => name.includes(lab.at.group))
  expect(names.length).toBeGreaterThan(4)
  const left = await Promise.all(names.map((name) => lab.redis.pttl(name)))
  expect(names.filter((_, place) => (left[place] ?? 0) <= 0)).toEqual([])
  expect(await lab.redis.xinfo('GROUPS', lab.names.log)).toEqual([])
})
