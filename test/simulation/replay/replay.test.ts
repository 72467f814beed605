import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMemoryServer } from '../memory-server.ts'
import { simulate } from '../port/simulate.ts'
import { openRedis } from '../redis-server.ts'

let redis: Awaited<ReturnType<typeof openRedis>>

beforeAll(async () => {
  redis = await openRedis()
})

afterAll(() => redis.close())

test('replays beside the live generation keep the guarantees, in memory', async () => {
  const ends = new Map<string, number>()
  for (let seed = 1; seed <= 40; seed++) {
    const played = await simulate(seed, createMemoryServer(), true)
    expect(played.violation, `seed ${seed}`).toBeUndefined()
    for (const [end, times] of played.ends) ends.set(end, (ends.get(end) ?? 0) + times)
  }
  const came = [
    'switch switched',
    'switch with firings of its own',
    'switch fenced',
    'switch already',
    'generation held',
  ]
  expect([...ends.keys()]).toEqual(expect.arrayContaining(came))
})

test('seeds that were red once', async () => {
  // A firing and a late run of one commit were journalled the other way round; in memory the firings of a generation that
  // was switched in got other numbers than on Redis.
  expect((await simulate(2_648, createMemoryServer(), true)).violation).toBeUndefined()
  expect((await simulate(3_053, await redis.simulation.fresh(), true)).violation).toBeUndefined()
})

test('they keep them on Redis, which answers what memory answers', async () => {
  for (let seed = 1_001; seed <= 1_003; seed++) {
    const { violation } = await simulate(seed, await redis.simulation.fresh(), true)
    expect(violation, `seed ${seed}`).toBeUndefined()
  }
})

test('a seed tells the same story whenever it is played', async () => {
  const play = () => simulate(7, createMemoryServer(), true)
  expect((await play()).story.lines).toEqual((await play()).story.lines)
})
