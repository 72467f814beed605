import { testTopic } from '@millrace/log/contract'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect } from 'vitest'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { Keys } from './keys.ts'
import { Script } from './script.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

/** A topic of one partition, and the script of a rebuild. */
interface Rebuild {
  readonly redis: Redis
  readonly names: ReturnType<Keys['claims']>
  readonly log: string
  run(keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
}

const openWith = (file: string) => async (source: string) => {
  const redis = new Redis(server?.url ?? '')
  await redis.script('LOAD', source)
  const topic = testTopic({ partitions: 1 })
  const keys = new Keys()
  const script = new Script(file, source)
  const context: Rebuild = {
    redis,
    names: keys.claims(topic),
    log: keys.partition(topic, 0).log,
    run: (names, args) => script.run(redis, names, args),
  }
  return { context, close: async () => redis.disconnect() }
}

const step = ({ names, run }: Rebuild, from: string, to: string) =>
  run(
    [names.rebuild, names.claimsNext, names.ownersNext, names.contested],
    ['1', 0, from, to, JSON.stringify([['email', `key${to}`, '1:x']])],
  )

const swap = ({ names, log, run }: Rebuild) =>
  run(
    [
      names.claims,
      names.owners,
      names.claimsMeta,
      names.rebuild,
      names.claimsNext,
      names.ownersNext,
      names.contested,
      log,
    ],
    [],
  )

describeGuards('rebuild-step.lua', scriptSource('rebuild-step.lua'), openWith('rebuild-step.lua'), {
  'rebuild-step': {
    'a step that was taken already is stale': async (rebuild) => {
      await rebuild.redis.hset(rebuild.names.rebuild, 'versions', '1')
      expect(await step(rebuild, '0-0', '5-1')).toBe('added')
      expect(await step(rebuild, '0-0', '5-1')).toBe('stale')
    },
    'a step of a rebuild with other versions is stale': async (rebuild) => {
      await rebuild.redis.hset(rebuild.names.rebuild, 'versions', '1,2')
      expect(await step(rebuild, '0-0', '5-1')).toBe('stale')
    },
  },
})

describeGuards('rebuild-swap.lua', scriptSource('rebuild-swap.lua'), openWith('rebuild-swap.lua'), {
  'swap-behind': {
    'claims that changed after what was read are not swapped away': async (rebuild) => {
      await rebuild.redis.hset(rebuild.names.rebuild, 'versions', '1', '0', '5-1')
      await rebuild.redis.hset(rebuild.names.claimsMeta, rebuild.log, '2')
      expect(await swap(rebuild)).toEqual(['behind'])
    },
  },
  'swap-contested': {
    'a value with two owners is not swapped in': async (rebuild) => {
      await rebuild.redis.hset(rebuild.names.rebuild, 'versions', '1', '0', '5-2')
      await rebuild.redis.hset(rebuild.names.claimsNext, 'email:1:x', 'a')
      await rebuild.redis.hset(rebuild.names.contested, 'email:1:x', '["b"]')
      expect(await swap(rebuild)).toEqual(['contested', 'email:1:x', 'a', '["b"]'])
    },
  },
})
