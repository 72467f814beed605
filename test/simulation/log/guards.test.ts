import { afterAll, beforeAll } from 'vitest'
import { describeRedGuards } from '../red-guards.ts'
import { openRedis } from '../redis-server.ts'
import { provedElsewhere, redSeeds } from './red-seeds.ts'
import { simulateLog } from './simulate-log.ts'

let redis: Awaited<ReturnType<typeof openRedis>>

beforeAll(async () => {
  redis = await openRedis()
})

afterAll(() => redis.close())

for (const [script, file] of [
  ['append', 'append.lua'],
  ['creates', 'append-creates.lua'],
  ['fence', 'fence.lua'],
] as const) {
  const known = { file, red: redSeeds[script], elsewhere: provedElsewhere[script] }
  describeRedGuards(script, known, async (seed, source) => {
    // A script that does not compile would be red without proving anything.
    await redis.redis.script('LOAD', source)
    return (await simulateLog(seed, await redis.logs.fresh({ [script]: source }))).violation
  })
}
