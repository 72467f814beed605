import { MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import {
  type AppendResult,
  type AppendUnit,
  beginning,
  checkFence,
  type ChannelBatch,
  type ChannelResult,
  type ChannelState,
  type ClaimRegister,
  type ClaimStore,
  type Cursors,
  type EventLog,
  type Fence,
  type FenceResult,
  type KeyHistory,
  type Position,
  prepareBatch,
  type ReadOptions,
  type Recorded,
  type Tip,
} from '@millrace/log'
import type { Redis } from 'ioredis'
import { type AppendBounds, Appender } from './append.ts'
import { CreateAppender } from './append-creates.ts'
import { watchedChannel, watchedFlush } from './append-watch.ts'
import { closeConnection, type ConnectionOptions, openWriting } from './connection.ts'
import { readFailure, writeFailure } from './failure.ts'
import { setFence } from './fence.ts'
import { type Flush, Gather } from './gather.ts'
import { Keys } from './keys.ts'
import { PartitionReader } from './partition-reader.ts'
import { readAt, readKey, tipBefore } from './read.ts'
import { ReaderPool } from './reader-pool.ts'
import { RedisClaims } from './redis-claims.ts'
import { TopicForms } from './topic-forms.ts'

/** Options of {@link connectLog}. */
export interface RedisLogOptions extends ConnectionOptions {
  /** First part of every key, to separate systems on one server. Default `mr`. */
  readonly prefix?: string
  /** How long an event id without claims is remembered at least, in ms. Default one hour. */
  readonly dedupeWindowMs?: number
  /** Ids a partition after which a dedupe generation ends before its time. Default 1,000,000 (some 100 MB at worst). */
  readonly dedupeIds?: number
  /** Time in ms, for tests and simulation. Default: the server's clock, one for all clients. */
  readonly now?: () => number
}

const defaults = {
  dedupeWindowMs: 3_600_000,
  dedupeIds: 1_000_000,
  packEvents: 100,
  packBytes: 64 * 1024,
} satisfies AppendBounds

/** The log on Redis. It owns its connections; `close` ends them. */
export interface RedisLog extends EventLog, ClaimRegister {
  readonly claims: ClaimStore
  /** Asks Redis for a sign of life. @throws MillraceError `log.unavailable` */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * Connects to Redis and answers the log.
 *
 * @throws Error when Redis cannot be reached within the connect time limit
 */
export async function connectLog(options: RedisLogOptions): Promise<RedisLog> {
  const writer = await openWriting(options)
  return new LogOnRedis(writer, options)
}

class LogOnRedis implements RedisLog {
  readonly #writer: Redis
  readonly #keys: Keys
  readonly #appender: Appender
  readonly #creates: CreateAppender
  readonly #readers: ReaderPool
  readonly #partitions: PartitionReader
  readonly claims: ClaimStore
  readonly #gather: Gather
  readonly #forms: TopicForms

  constructor(writer: Redis, options: RedisLogOptions) {
    this.#writer = writer
    this.#keys = new Keys(options.prefix)
    const bounds = {
      ...defaults,
      ...(options.dedupeWindowMs === undefined ? {} : { dedupeWindowMs: options.dedupeWindowMs }),
      ...(options.dedupeIds === undefined ? {} : { dedupeIds: options.dedupeIds }),
      ...(options.now === undefined ? {} : { now: options.now }),
    }
    this.#appender = new Appender(writer, this.#keys, bounds)
    this.#creates = new CreateAppender(writer, this.#keys, bounds)
    this.#readers = new ReaderPool(options)
    this.#forms = new TopicForms(writer, this.#keys)
    this.#partitions = new PartitionReader(this.#keys)
    this.claims = new RedisClaims(writer, this.#keys, options.now)
    this.#gather = new Gather(watchedFlush((...call) => this.#send(...call)))
  }

  append(topic: Topic, units: readonly AppendUnit[]): Promise<readonly AppendResult[]> {
    // Not async: that would be a promise more for each append.
    try {
      return this.#gather.append(topic, units)
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async appendChannel(topic: Topic, batch: ChannelBatch): Promise<ChannelResult> {
    const encoded = prepareBatch(topic, batch)
    return watchedChannel(topic, batch, () =>
      this.#write(topic, batch.partition, () => this.#appender.channel(topic, batch, encoded)),
    )
  }

  async channel(topic: Topic, partition: number, channel: string): Promise<ChannelState> {
    assertPartition(topic, partition)
    const text = await this.#read(() =>
      this.#writer.hget(this.#keys.partition(topic, partition).channels, channel),
    )
    if (text === null) return { incarnation: 0, last: 0, mark: undefined }
    const [incarnation, last, mark] = JSON.parse(text) as [number, number, string]
    return { incarnation, last, mark: mark === '' ? undefined : mark }
  }

  async fence(topic: Topic, partition: number, fence: Fence): Promise<FenceResult> {
    assertPartition(topic, partition)
    checkFence(fence)
    const { channels } = this.#keys.partition(topic, partition)
    return this.#write(topic, partition, () => setFence(this.#writer, channels, fence))
  }

  async read(
    topic: Topic,
    after: Cursors,
    options: ReadOptions = {},
  ): Promise<ReadonlyMap<number, readonly Recorded[]>> {
    const { limit = 500, waitMs = 0, signal, ahead = false } = options
    for (const partition of after.keys()) assertPartition(topic, partition)
    if (!this.#forms.fits(topic, 'reader')) await this.#read(() => this.#forms.check(topic, 'reader'))
    if (waitMs === 0)
      return this.#read(() => this.#partitions.read(this.#writer, topic, after, { limit, ahead }))
    const nothing: ReadonlyMap<number, readonly Recorded[]> = new Map()
    return this.#read(() =>
      this.#readers.run(
        waitMs,
        signal,
        (redis) => this.#partitions.read(redis, topic, after, { limit, blockMs: waitMs }),
        nothing,
      ),
    )
  }

  readKey(
    topic: Topic,
    key: string,
    options: { afterVersion?: number; limit?: number } = {},
  ): Promise<KeyHistory> {
    const { afterVersion = 0, limit = 500 } = options
    return this.#read(async () => {
      if (!this.#forms.fits(topic, 'reader')) await this.#forms.check(topic, 'reader')
      return readKey(this.#writer, this.#keys, topic, partitionOfKey(topic, key), key, afterVersion, limit)
    })
  }

  readAt(topic: Topic, position: Position): Promise<Recorded | undefined> {
    assertPartition(topic, position.partition)
    return this.#read(() => readAt(this.#writer, this.#keys, topic, position))
  }

  tips(topic: Topic, { beforeMs }: { readonly beforeMs?: number } = {}): Promise<readonly Tip[]> {
    return this.#read(async () => {
      if (!this.#forms.fits(topic, 'reader')) await this.#forms.check(topic, 'reader')
      return Promise.all(
        Array.from({ length: topic.partitions }, async (_, partition) => {
          if (beforeMs !== undefined) return tipBefore(this.#writer, this.#keys, topic, partition, beforeMs)
          const [seq, ms] = await this.#writer.hmget(this.#keys.partition(topic, partition).meta, 'seq', 'ms')
          return { partition, id: seq ? `${ms}-${seq}` : beginning, seq: Number(seq ?? 0) }
        }),
      )
    })
  }

  ownerOf(
    topic: Topic,
    constraint: string,
    digests: Readonly<Record<string, string>>,
  ): Promise<string | undefined> {
    return this.claims.ownerOf(topic, constraint, digests)
  }

  liveVersions(topic: Topic): Promise<readonly string[]> {
    return this.claims.liveVersions(topic)
  }

  async ping(): Promise<void> {
    await this.#read(() => this.#writer.ping())
  }

  async close(): Promise<void> {
    await Promise.all([this.#readers.close(), closeConnection(this.#writer)])
  }

  async #send(...[topic, parts, kind]: Parameters<Flush>): ReturnType<Flush> {
    const [first] = parts
    if (!first) return []
    const { partition, units } = first
    return this.#write(topic, partition, async () => {
      if (kind) return this.#creates.parts(topic, parts, kind)
      if (parts.length > 1) return this.#appender.several(topic, parts)
      return [await this.#appender.units(topic, partition, units)]
    })
  }

  async #write<T>(topic: Topic, partition: number, act: () => Promise<T>): Promise<T> {
    try {
      if (!this.#forms.fits(topic, 'writer')) await this.#forms.check(topic, 'writer')
      return await act()
    } catch (error) {
      throw writeFailure(error, `${topic.name}/${partition}`)
    }
  }

  async #read<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw readFailure(error)
    }
  }
}

function assertPartition(topic: Topic, partition: number): void {
  if (!(Number.isInteger(partition) && partition >= 0 && partition < topic.partitions))
    throw new MillraceError('position.invalid', `Topic ${topic.name} has no partition ${partition}`)
}
