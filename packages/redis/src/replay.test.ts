import { describeReplayContract } from '@millrace/processor/contract'
import { startRedis } from '../../../test/support/redis.ts'
import { connectGroupStore } from './group-store.ts'
import { connectLog } from './redis-log.ts'

describeReplayContract('Redis', async () => {
  const redis = await startRedis()
  let now = Date.now()
  const log = await connectLog({ url: redis.url, now: () => now })
  const store = await connectGroupStore({ url: redis.url, now: () => now })
  return {
    log,
    store,
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
