import { describeForwarderContract } from '@millrace/processor/contract'
import { startRedis } from '../../../test/support/redis.ts'
import { connectGroupStore } from './group-store.ts'
import { connectLog } from './redis-log.ts'

describeForwarderContract('Redis', async () => {
  const redis = await startRedis()
  const log = await connectLog({ url: redis.url })
  const store = await connectGroupStore({ url: redis.url })
  return {
    log,
    store,
    advance: () => undefined,
    close: async () => {
      await store.close()
      await log.close()
      await redis.stop()
    },
  }
})
