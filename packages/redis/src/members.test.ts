import { describeMembersContract } from '@millrace/processor/contract'
import { startRedis } from '../../../test/support/redis.ts'
import { connectGroupStore } from './group-store.ts'
import { connectMemberList } from './member-list.ts'
import { connectLog } from './redis-log.ts'

describeMembersContract('Redis', async () => {
  const redis = await startRedis()
  const log = await connectLog({ url: redis.url })
  const store = await connectGroupStore({ url: redis.url })
  const list = await connectMemberList({ url: redis.url })
  return {
    log,
    store,
    list,
    close: async () => {
      await list.close()
      await store.close()
      await log.close()
      await redis.stop()
    },
  }
})
