import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRedis } from '../redis-server.ts'
import { createMemoryLogServer } from './log-server.ts'
import { simulateLog } from './simulate-log.ts'

let redis: Awaited<ReturnType<typeof openRedis>>

beforeAll(async () => {
  redis = await openRedis()
})

afterAll(() => redis.close())

test('processes that append keep the guarantees, in memory', async () => {
  const all = new Map<string, number>()
  for (let seed = 1; seed <= 200; seed++) {
    const { violation, ends } = await simulateLog(seed, createMemoryLogServer())
    expect(violation, `seed ${seed}`).toBeUndefined()
    for (const [end, times] of ends) all.set(end, (all.get(end) ?? 0) + times)
  }
  // Each of them has really been met.
  for (const end of [
    'appended',
    'duplicate',
    'append.version',
    'append.claimed',
    'batch append.channel-fenced',
  ])
    expect([...all.keys()]).toContain(end)
})

test('they keep them on Redis, which answers what memory answers', async () => {
  for (let seed = 1_001; seed <= 1_024; seed++) {
    const { violation } = await simulateLog(seed, await redis.logs.fresh())
    expect(violation, `seed ${seed}`).toBeUndefined()
  }
})

test('a seed tells the same story whenever it is played', async () => {
  const [one, other] = [
    await simulateLog(7, createMemoryLogServer()),
    await simulateLog(7, createMemoryLogServer()),
  ]
  expect(one.story.lines).toEqual(other.story.lines)
})
