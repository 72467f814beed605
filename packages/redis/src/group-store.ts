import { MillraceError } from '@millrace/event'
import { beginning } from '@millrace/log'
import {
  assertGroupName,
  type Commit,
  type DeadLetter,
  type GroupPartition,
  type GroupState,
  type GroupStore,
  type Lease,
  type Renewal,
} from '@millrace/processor'
import type { Redis } from 'ioredis'
import { commitGroup } from './commit.ts'
import { closeConnection, type ConnectionOptions, whenReady, writingConnection } from './connection.ts'
import { readFailure, writeFailure } from './failure.ts'
import { Keys } from './keys.ts'
import { acquireLease, releaseLease, renewLease, seqsOf } from './lease.ts'

/** Options of {@link connectGroupStore}. */
export interface RedisGroupStoreOptions extends ConnectionOptions {
  /** First part of every key, the same as the log's. Default `mr`. */
  readonly prefix?: string
  /** Time in ms, for tests and simulation. Default: the server's clock, one for all members. */
  readonly now?: () => number
}

/** Groups on Redis, in the slot of their partition. It owns its connection; `close` ends it. */
export interface RedisGroupStore extends GroupStore {
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
  return new GroupsOnRedis(redis, options)
}

class GroupsOnRedis implements RedisGroupStore {
  readonly #redis: Redis
  readonly #keys: Keys
  readonly #now: () => number | undefined

  constructor(redis: Redis, options: RedisGroupStoreOptions) {
    this.#redis = redis
    this.#keys = new Keys(options.prefix)
    this.#now = options.now ?? (() => undefined)
  }

  acquire(at: GroupPartition, member: string, leaseMs: number): Promise<Lease | undefined> {
    return this.#write(at, () =>
      acquireLease(this.#redis, this.#keys, at, { member, leaseMs, now: this.#now() }),
    )
  }

  renew(at: GroupPartition, lease: Pick<Lease, 'token' | 'n'>, leaseMs: number): Promise<Renewal> {
    const { token, n } = lease
    return this.#write(at, () =>
      renewLease(this.#redis, this.#keys, at, { token, n, leaseMs, now: this.#now() }),
    )
  }

  commit(at: GroupPartition, commit: Commit): Promise<'committed' | 'already' | 'fenced'> {
    return this.#write(at, () => commitGroup(this.#redis, this.#keys, at, commit))
  }

  release(at: GroupPartition, token: string): Promise<'released' | 'fenced'> {
    return this.#write(at, () => releaseLease(this.#redis, this.#keys, at, token))
  }

  look(at: GroupPartition): Promise<GroupState> {
    const { topic, partition, group } = at
    return this.#read(at, async () => {
      const [[id, seq, n, ahead, member, until], deadLetters] = await Promise.all([
        this.#redis.hmget(
          this.#keys.group(topic, partition, group),
          'id',
          'seq',
          'n',
          'ahead',
          'member',
          'until',
        ),
        this.#redis.zcard(this.#keys.dead(topic, partition, group)),
      ])
      return {
        position: { id: id ?? beginning, seq: Number(seq ?? 0) },
        n: Number(n ?? 0),
        ahead: seqsOf(ahead ?? ''),
        member: member ?? undefined,
        untilMs: Number(until ?? 0),
        deadLetters,
      }
    })
  }

  deadLetters(
    at: GroupPartition,
    options: { after?: number; limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    const { after = 0, limit = 100 } = options
    const name = this.#keys.dead(at.topic, at.partition, at.group)
    return this.#read(at, async () => {
      const texts = await this.#redis.zrangebyscore(name, `(${after}`, '+inf', 'LIMIT', 0, limit)
      return texts.map((text) => JSON.parse(text) as DeadLetter)
    })
  }

  close(): Promise<void> {
    return closeConnection(this.#redis)
  }

  async #write<T>(at: GroupPartition, act: () => Promise<T>): Promise<T> {
    assertGroupName(at.group)
    try {
      return await act()
    } catch (error) {
      const failure = writeFailure(error)
      throw failure.code === 'append.unknown'
        ? new MillraceError('commit.unknown', undefined, { cause: error })
        : failure
    }
  }

  async #read<T>(at: GroupPartition, act: () => Promise<T>): Promise<T> {
    assertGroupName(at.group)
    try {
      return await act()
    } catch (error) {
      throw readFailure(error)
    }
  }
}
