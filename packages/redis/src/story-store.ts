import type { Stories, StoryIndex } from '@millrace/processor'
import { closeConnection, type ConnectionOptions, openWriting } from './connection.ts'
import { groupScripts } from './group-scripts.ts'
import { Keys } from './keys.ts'
import { StoriesOnRedis } from './stories-on-redis.ts'
import { StoryIndexOnRedis } from './story-index.ts'

/** Options of {@link connectStories}. */
export interface RedisStoriesOptions extends ConnectionOptions {
  /** First part of every key, the same as the log's. Default `mr`. */
  readonly prefix?: string
  /** Time in ms, for tests and simulation. Default: the server's clock. */
  readonly now?: () => number
}

/** Everything by which stories are told, on a connection of its own; `close` ends it. */
export interface RedisStories extends Stories {
  readonly index: StoryIndex
  close(): Promise<void>
}

/**
 * Connects to Redis and answers what is remembered of events.
 *
 * @throws Error when Redis cannot be reached within the connect time limit
 */
export async function connectStories(options: RedisStoriesOptions): Promise<RedisStories> {
  const redis = await openWriting(options)
  const keys = new Keys(options.prefix)
  const { now } = options
  const stories = new StoriesOnRedis({
    redis,
    scripts: groupScripts,
    keys,
    reach: 'slot',
    now: () => now?.(),
  })
  return Object.assign(stories, {
    index: new StoryIndexOnRedis(redis, keys, now),
    close: () => closeConnection(redis),
  })
}
