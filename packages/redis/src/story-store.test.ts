import { describeStoriesContract, describeStoryIndexContract } from '@millrace/processor/contract'
import { startRedis } from '../../../test/support/redis.ts'
import { connectGroupStore } from './group-store.ts'
import { connectLog } from './redis-log.ts'
import { connectStories } from './story-store.ts'

async function open() {
  const redis = await startRedis()
  let now = Date.parse('2026-01-01T00:00:00Z')
  const given = { url: redis.url, now: () => now }
  const log = await connectLog(given)
  const store = await connectGroupStore(given)
  const stories = await connectStories(given)
  return {
    log,
    store,
    stories,
    index: stories.index,
    advance: (ms: number) => {
      now += ms
    },
    close: async () => {
      await stories.close()
      await store.close()
      await log.close()
      await redis.stop()
    },
  }
}

describeStoriesContract('Redis', open)
describeStoryIndexContract('Redis', open)
