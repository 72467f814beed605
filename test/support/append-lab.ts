import { MillraceError, type Topic } from '@millrace/event'
import type { AppendResult, AppendUnit, ChannelBatch, ChannelResult, Fence, FenceResult } from '@millrace/log'
import { prepare, prepareBatch, type Prepared } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import { Redis } from 'ioredis'
import { Appender } from '../../packages/redis/src/append.ts'
import { writeFailure } from '../../packages/redis/src/failure.ts'
import { setFence } from '../../packages/redis/src/fence.ts'
import { type ClaimKeys, Keys, type PartitionKeys } from '../../packages/redis/src/keys.ts'
import { Script } from '../../packages/redis/src/script.ts'

/** Length of the dedupe window in the lab, in ms. */
export const windowMs = 60_000
/** Most events and bytes of an entry in the lab: small, to meet the bounds often. */
export const packing = { events: 10, bytes: 4_096 } as const

/** The append script on a topic of its own with one partition, and a look at everything that it leaves in Redis. */
export class AppendLab {
  readonly redis: Redis
  readonly topic: Topic = testTopic({ partitions: 1 })
  readonly names: PartitionKeys & ClaimKeys
  /** Time that the script is told, in ms. */
  now = Date.parse('2026-01-01T00:00:00Z')
  readonly #keys = new Keys()
  readonly #appender: Appender

  private constructor(redis: Redis, source: string | undefined, bounds: { dedupeIds?: number }) {
    this.redis = redis
    this.names = { ...this.#keys.partition(this.topic, 0), ...this.#keys.claims(this.topic) }
    this.#appender = new Appender(
      redis,
      this.#keys,
      {
        dedupeWindowMs: windowMs,
        dedupeIds: 1_000,
        packEvents: packing.events,
        packBytes: packing.bytes,
        ...bounds,
        now: () => this.now,
      },
      source === undefined ? undefined : new Script('append.lua', source),
    )
  }

  /** @param source Text of the append script. Default: as it is. */
  static async open(url: string, source?: string, bounds: { dedupeIds?: number } = {}): Promise<AppendLab> {
    const redis = new Redis(url)
    // A script that does not compile would break every promise without proving anything.
    if (source !== undefined) await redis.script('LOAD', source)
    return new AppendLab(redis, source, bounds)
  }

  close(): void {
    this.redis.disconnect()
  }

  /** Appends in one call of the script. */
  async append(...units: readonly AppendUnit[]): Promise<readonly AppendResult[]> {
    const prepared = units.map((unit) => prepare(this.topic, unit))
    for (const one of prepared) if (one instanceof MillraceError) throw one
    return this.#failing(() => this.#appender.units(this.topic, 0, prepared as readonly Prepared[]))
  }

  /** Appends in one call of the script and answers a word a unit: its status, or the code of its refusal. */
  async outcomes(...units: readonly AppendUnit[]): Promise<readonly string[]> {
    return (await this.append(...units)).map((result) =>
      result.status === 'refused' ? result.error.code : result.status,
    )
  }

  channel(batch: ChannelBatch): Promise<ChannelResult> {
    return this.#failing(() => this.#appender.channel(this.topic, batch, prepareBatch(this.topic, batch)))
  }

  fence(fence: Fence): Promise<FenceResult> {
    return setFence(this.redis, this.names.channels, fence)
  }

  /** Name of the index of a key. */
  indexOf(key: string): string {
    return this.#keys.keyIndex(this.topic, 0, key)
  }

  /** Everything that Redis holds for this topic, byte for byte. */
  async dump(): Promise<Readonly<Record<string, string>>> {
    const names = (await this.redis.keys(`*{${this.topic.name}}*`)).toSorted()
    const dumps = await Promise.all(names.map((name) => this.redis.dumpBuffer(name)))
    return Object.fromEntries(names.map((name, at) => [name, dumps[at]?.toString('base64') ?? '']))
  }

  async #failing<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw writeFailure(error)
    }
  }
}
