import { describeEngineContract } from '@millrace/processor/contract'
import { startRedis } from '../../../test/support/redis.ts'
import { connectGroupStore } from './group-store.ts'
import { connectLog } from './redis-log.ts'

for (const reach of ['slot', 'server'] as const)
  describeEngineContract(reach === 'server' ? 'Redis, emitting at once' : 'Redis', async () => {
    const redis = await startRedis()
    let now = Date.now()
    const log = await connectLog({ url: redis.url, now: () => now })
    const store = await connectGroupStore({ url: redis.url, now: () => now, reach })
    return {
      log,
      store,
      atOnce: reach === 'server',
      now: () => now,
      advance: (ms) => {
        now += ms
      },
      close: async () => {
        await store.close()
        await log.close()
        await redis.stop()
      },
    }
  })
