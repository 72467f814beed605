import { afterAll, beforeAll } from 'vitest'
import type { GroupScripts } from '../../../packages/redis/src/group-scripts.ts'
import { describeRedGuards } from '../red-guards.ts'
import { openRedis } from '../redis-server.ts'
import { provedElsewhere, redSeeds } from './red-seeds.ts'
import { simulate } from './simulate.ts'

let redis: Awaited<ReturnType<typeof openRedis>>

beforeAll(async () => {
  redis = await openRedis()
})

afterAll(() => redis.close())

/** The scripts that members and operators of the simulation call. */
const scripts = [
  ['lease', 'lease.lua'],
  ['commit', 'commit.lua'],
  ['confirm', 'confirm.lua'],
  ['forwarded', 'forwarded.lua'],
  ['rule', 'rule.lua'],
  ['effectsRule', 'effects-rule.lua'],
  ['withheld', 'withheld.lua'],
  ['migrate', 'migrate.lua'],
  ['markDue', 'mark-due.lua'],
  ['stateDrop', 'state-drop.lua'],
  ['shadow', 'shadow.lua'],
] as const satisfies [keyof GroupScripts, string][]

for (const [script, file] of scripts) {
  const known = { file, red: redSeeds[script] ?? {}, elsewhere: provedElsewhere[script] ?? {} }
  describeRedGuards(script, known, async (seed, source) => {
    // A script that does not compile would be red without proving anything.
    await redis.redis.script('LOAD', source)
    return (await simulate(seed, await redis.simulation.fresh({ [script]: source }))).violation
  })
}
