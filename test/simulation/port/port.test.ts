import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMemoryServer } from '../memory-server.ts'
import { openRedis } from '../redis-server.ts'
import { simulate } from './simulate.ts'

let redis: Awaited<ReturnType<typeof openRedis>>

beforeAll(async () => {
  redis = await openRedis()
})

afterAll(() => redis.close())

test('members at the transaction port keep the guarantees, in memory', async () => {
  let fenced = 0
  let ruled = 0
  for (let seed = 1; seed <= 300; seed++) {
    const { violation, ends } = await simulate(seed, createMemoryServer())
    expect(violation, `seed ${seed}`).toBeUndefined()
    fenced += ends.get('commit fenced') ?? 0
    ruled += ends.get('rule ruled') ?? 0
  }
  expect(fenced).toBeGreaterThan(0)
  expect(ruled).toBeGreaterThan(0)
})

test('they keep them on Redis, which answers what memory answers', async () => {
  for (let seed = 1_001; seed <= 1_024; seed++) {
    const { violation } = await simulate(seed, await redis.simulation.fresh())
    expect(violation, `seed ${seed}`).toBeUndefined()
  }
})

test('a seed tells the same story whenever it is played', async () => {
  const [one, other] = [await simulate(7, createMemoryServer()), await simulate(7, createMemoryServer())]
  expect(one.story.lines).toEqual(other.story.lines)
})
