import { describeLogContract } from '@millrace/log/contract'
import { startRedis } from '../../../test/support/redis.ts'
import { connectLog } from './redis-log.ts'

describeLogContract('Redis', async () => {
  const redis = await startRedis()
  let now = Date.parse('2026-01-01T00:00:00Z')
  const windowMs = 60_000
  const log = await connectLog({ url: redis.url, dedupeWindowMs: windowMs, now: () => now })
  return {
    log,
    windowMs,
    advance: (ms) => {
      now += ms
    },
    close: async () => {
      await log.close()
      await redis.stop()
    },
  }
})
