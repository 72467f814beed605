import type { Topic } from '@millrace/event'
import { beginning, type Position, prepare, type Prepared } from '@millrace/log'
import { happened, testTopic } from '@millrace/log/contract'
import type { Commit, CommitResult, DeadLetter, GroupPartition, OutboxDraft } from '@millrace/processor'
import { letter, target } from '@millrace/processor/contract'
import { Redis } from 'ioredis'
import { Appender } from '../../packages/redis/src/append.ts'
import { type GroupScripts, groupScripts } from '../../packages/redis/src/group-scripts.ts'
import { GroupsOnRedis } from '../../packages/redis/src/groups-on-redis.ts'
import { type GroupKeys, Keys, type PartitionKeys } from '../../packages/redis/src/keys.ts'
import { Script } from '../../packages/redis/src/script.ts'

/** A group on a topic of its own with one partition, its scripts, and a look at everything that they leave in Redis. */
export class GroupLab {
  readonly redis: Redis
  readonly topic: Topic = testTopic({ partitions: 1 })
  readonly at: GroupPartition = { topic: this.topic, partition: 0, group: 'readers' }
  readonly names: GroupKeys & PartitionKeys
  readonly store: GroupsOnRedis
  /** A topic to which commits may append at once. */
  readonly target: Topic = testTopic({ partitions: 1 })
  readonly targetNames: PartitionKeys
  /** Time that the scripts are told, in ms. */
  now = Date.parse('2026-01-01T00:00:00Z')
  token = ''
  n = 0
  readonly positions: Position[] = []
  readonly #appender: Appender

  private constructor(redis: Redis, scripts: GroupScripts) {
    this.redis = redis
    const keys = new Keys()
    this.targetNames = keys.partition(this.target, 0)
    this.names = { ...keys.partition(this.topic, 0), ...keys.group(this.topic, 0, 'readers') }
    const now = () => this.now
    this.store = new GroupsOnRedis(redis, { now, effectsRemembered: 3, reach: 'server' }, scripts)
    const bounds = { dedupeWindowMs: 60_000, dedupeIds: 1_000, packEvents: 10, packBytes: 4_096 }
    this.#appender = new Appender(redis, keys, { ...bounds, now: () => this.now })
  }

  /** @param changed Texts of scripts that are not to run as they are. */
  static async open(
    url: string,
    changed: Partial<Record<keyof GroupScripts, string>> = {},
  ): Promise<GroupLab> {
    const redis = new Redis(url)
    const scripts: Record<keyof GroupScripts, Script> = { ...groupScripts }
    for (const [name, source] of Object.entries(changed)) {
      // A script that does not compile would break every promise without proving anything.
      await redis.script('LOAD', source)
      scripts[name as keyof GroupScripts] = new Script(`${name}.lua`, source)
    }
    return new GroupLab(redis, scripts)
  }

  close(): void {
    this.redis.disconnect()
  }

  /** Appends one entry with an event for each key, a millisecond after the one before. */
  async append(...keys: readonly string[]): Promise<void> {
    this.now += 1
    const units = keys.map((key) => prepare(this.topic, { events: [happened(this.topic, key)] }) as Prepared)
    for (const result of await this.#appender.units(this.topic, 0, units))
      if (result.status === 'appended') this.positions.push(...result.positions)
  }

  /** Takes the lease, whoever holds it. */
  async lease(member = 'one'): Promise<void> {
    const lease = await this.store.acquire(this.at, member, 1_000)
    if (!lease) throw new Error('The lease is held')
    this.token = lease.token
    this.n = lease.n
  }

  /** The next commit: up to an event, with further parts. */
  next(seq: number, parts: Partial<Commit> = {}): Commit {
    const { id } = this.positions[seq - 1] ?? { id: beginning }
    return { token: this.token, n: this.n + 1, position: { id, seq }, ahead: [], dead: [], ...parts }
  }

  async commit(seq: number, parts: Partial<Commit> = {}): Promise<CommitResult> {
    const result = await this.store.commit(this.at, this.next(seq, parts))
    if (result.status === 'committed') this.n += 1
    return result
  }

  /** Commits an event for each key of the target, which it may append at once. */
  async emit(...keys: readonly string[]): Promise<CommitResult> {
    const events = keys.map((key) => happened(this.target, key))
    const place = { topic: this.target.name, partition: 0, target: this.target }
    return this.commit(0, { outbox: [{ ...place, events, text: JSON.stringify(events) }] })
  }

  /** A letter of an event. */
  letter(seq: number): DeadLetter {
    return letter(seq, this.positions[seq - 1]?.id)
  }

  /** Everything that Redis holds for this topic, byte for byte. */
  async dump(): Promise<Readonly<Record<string, string>>> {
    const names = (await this.redis.keys(`*{${this.topic.name}}*`)).toSorted()
    const dumps = await Promise.all(names.map((name) => this.redis.dumpBuffer(name)))
    return Object.fromEntries(names.map((name, at) => [name, dumps[at]?.toString('base64') ?? '']))
  }
}

/** Events for a partition of another topic, whatever their keys say. */
export function draft(partition: number, ...keys: readonly string[]): OutboxDraft {
  const events = keys.map((key) => happened(target, key))
  return { topic: target.name, partition, events, text: JSON.stringify(events) }
}
