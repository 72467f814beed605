import { describePipelineStoreContract } from '@millrace/source/contract'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect } from 'vitest'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { PipelineLease } from './pipeline-lease.ts'
import { connectPipelineStore } from './pipeline-store.ts'
import { Script } from './script.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

describePipelineStoreContract('Redis', async () => {
  const own = await startRedis()
  const store = await connectPipelineStore({ url: own.url })
  return {
    store,
    close: async () => {
      await store.close()
      await own.stop()
    },
  }
})

let keys = 0
const open = async (source: string) => {
  const redis = new Redis(server?.url ?? '')
  const lease = new PipelineLease(redis, () => 1_000_000, new Script('pipeline-lease.lua', source))
  const key = `pipeline-${++keys}`
  const take = (holder: string, above = 0) => lease.take(key, { holder, leaseMs: 1_000, above })
  const renew = (token: string) => lease.renew(key, token, 1_000, '')
  return { context: { take, renew }, close: async () => redis.disconnect() }
}

describeGuards('pipeline-lease.lua', scriptSource('pipeline-lease.lua'), open, {
  'live reader': {
    'a lease is not taken from a live holder': async ({ take }) => {
      await take('a')
      expect(await take('b')).toMatchObject({ status: 'held', holder: 'a' })
    },
  },
  'fence that was seen': {
    'the counter jumps over a fence': async ({ take }) => {
      expect(await take('a', 7)).toMatchObject({ token: expect.stringMatching(/^8-/) as string })
    },
  },
  'lease of another': {
    'who has lost the lease cannot renew it': async ({ take, renew }) => {
      const first = await take('a')
      await take('a')
      expect(await renew(first.status === 'leased' ? first.token : '')).toBeUndefined()
    },
  },
})
