import { afterAll, beforeAll } from 'vitest'
import type { GroupScripts } from '../../../packages/redis/src/group-scripts.ts'
import { simulate } from '../port/simulate.ts'
import { describeRedGuards } from '../red-guards.ts'
import { openRedis } from '../redis-server.ts'
import { provedElsewhere, redSeeds } from './red-seeds.ts'

let redis: Awaited<ReturnType<typeof openRedis>>

beforeAll(async () => {
  redis = await openRedis()
})

afterAll(() => redis.close())

/** The scripts that replays call beside those of members. */
const scripts = [
  ['freeze', 'generation-freeze.lua'],
  ['switch', 'generation-switch.lua'],
  ['drop', 'generation-drop.lua'],
] as const satisfies [keyof GroupScripts, string][]

for (const [script, file] of scripts) {
  const known = { file, red: redSeeds[script] ?? {}, elsewhere: provedElsewhere[script] ?? {} }
  describeRedGuards(script, known, async (seed, source) => {
    // A script that does not compile would be red without proving anything.
    await redis.redis.script('LOAD', source)
    return (await simulate(seed, await redis.simulation.fresh({ [script]: source }), true)).violation
  })
}
