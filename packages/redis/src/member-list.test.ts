import { describeMemberListContract } from '@millrace/processor/contract'
import { startRedis } from '../../../test/support/redis.ts'
import { connectMemberList } from './member-list.ts'

describeMemberListContract('Redis', async () => {
  const redis = await startRedis()
  let now = Date.parse('2026-01-01T00:00:00Z')
  const list = await connectMemberList({ url: redis.url, now: () => now })
  return {
    list,
    advance: (ms) => {
      now += ms
    },
    close: async () => {
      await list.close()
      await redis.stop()
    },
  }
})
