import type { GenerationStore } from '@millrace/processor'
import type { Redis } from 'ioredis'
import { closeConnection, type ConnectionOptions, whenReady, writingConnection } from './connection.ts'
import { GroupsOnRedis } from './groups-on-redis.ts'

/** Options of {@link connectGroupStore}. */
export interface RedisGroupStoreOptions extends ConnectionOptions {
  /** First part of every key, the same as the log's. Default `mr`. */
  readonly prefix?: string
  /** Time in ms, for tests and simulation. Default: the server's clock, one for all members. */
  readonly now?: () => number
  /** How many confirmed and ignored effects a partition remembers, to know a repeat. Default 10,000. */
  readonly effectsRemembered?: number
}

/** Groups on Redis, in the slot of their partition. It owns its connection; `close` ends it. */
export interface RedisGroupStore extends GenerationStore {
  close(): Promise<void>
}

/**
 * Connects to Redis and answers the store.
 *
 * @throws Error when Redis cannot be reached within the connect time limit
 */
export async function connectGroupStore(options: RedisGroupStoreOptions): Promise<RedisGroupStore> {
  const redis = writingConnection(options)
  try {
    await whenReady(redis, options.connectTimeoutMs)
  } catch (error) {
    redis.disconnect()
    throw error
  }
  return new ConnectedGroups(redis, options)
}

class ConnectedGroups extends GroupsOnRedis implements RedisGroupStore {
  readonly #connection: Redis

  constructor(redis: Redis, options: RedisGroupStoreOptions) {
    super(redis, options)
    this.#connection = redis
  }

  close(): Promise<void> {
    return closeConnection(this.#connection)
  }
}
