import type { GenerationStore } from '@millrace/processor'
import { type Redis, ReplyError } from 'ioredis'
import type { Reach } from './at-once.ts'
import { closeConnection, type ConnectionOptions, whenReady, writingConnection } from './connection.ts'
import { GroupsOnRedis } from './groups-on-redis.ts'
import type { GroupBounds } from './repairs-on-redis.ts'

/** Options of {@link connectGroupStore}. */
export interface RedisGroupStoreOptions extends ConnectionOptions {
  /** First part of every key, the same as the log's. Default `mr`. */
  readonly prefix?: string
  /** Time in ms, for tests and simulation. Default: the server's clock, one for all members. */
  readonly now?: () => number
  /** How far apart the keys of one script may lie. Default: as the server says, `slot` in Redis Cluster. */
  readonly reach?: Reach
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
    return new ConnectedGroups(redis, { ...options, reach: options.reach ?? (await reachOf(redis)) })
  } catch (error) {
    redis.disconnect()
    throw error
  }
}

/** A server that may not say what it is counts as a part of a cluster. */
async function reachOf(redis: Redis): Promise<Reach> {
  try {
    return /^cluster_enabled:0/m.test(await redis.info('cluster')) ? 'server' : 'slot'
  } catch (error) {
    if (error instanceof ReplyError) return 'slot'
    throw error
  }
}

class ConnectedGroups extends GroupsOnRedis implements RedisGroupStore {
  readonly #connection: Redis

  constructor(redis: Redis, options: GroupBounds) {
    super(redis, options)
    this.#connection = redis
  }

  close(): Promise<void> {
    return closeConnection(this.#connection)
  }
}
