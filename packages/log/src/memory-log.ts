import {
  type Clock,
  MillraceError,
  partitionOfKey,
  systemClock,
  systemTimers,
  type Timers,
  type Topic,
} from '@millrace/event'
import type {
  AppendResult,
  AppendUnit,
  ChannelBatch,
  ChannelResult,
  ChannelState,
  Fence,
  FenceResult,
} from './append.ts'
import type { ClaimRegister } from './claim-register.ts'
import type { ClaimStore } from './claim-store.ts'
import type { Cursors, EventLog, KeyHistory, ReadOptions, Recorded, Tip } from './event-log.ts'
import { MemoryClaimStore } from './memory-claim-store.ts'
import { type DedupeBounds, MemoryPartition } from './memory-partition.ts'
import type { Position } from './position.ts'
import { prepare, prepareBatch, type Prepared } from './prepare.ts'
import { checkFence } from './units.ts'

/** Options of {@link createMemoryLog}. */
export interface MemoryLogOptions {
  readonly clock?: Clock
  /** What a waiting read waits by. */
  readonly timers?: Timers
  /** How long an event id without claims is remembered at least, in ms. Default one hour. */
  readonly dedupeWindowMs?: number
  /** Ids a partition after which a dedupe generation ends before its time. Default 1,000,000. */
  readonly dedupeIds?: number
}

/** A log in memory, with the same promises as the one on Redis but durability. */
export interface MemoryLog extends EventLog, ClaimRegister {
  readonly claims: ClaimStore
}

/** Makes an empty log in memory. */
export function createMemoryLog(options: MemoryLogOptions = {}): MemoryLog {
  const {
    clock = systemClock,
    timers = systemTimers,
    dedupeWindowMs = 3_600_000,
    dedupeIds = 1_000_000,
  } = options
  return new InMemoryLog(clock, timers, { windowMs: dedupeWindowMs, mostIds: dedupeIds })
}

class InMemoryLog implements MemoryLog {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #bounds: DedupeBounds
  readonly #partitions = new Map<string, MemoryPartition>()
  readonly claims: MemoryClaimStore
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock, timers: Timers, bounds: DedupeBounds) {
    this.#clock = clock
    this.#timers = timers
    this.claims = new MemoryClaimStore(clock)
    this.#bounds = bounds
  }

  async append(topic: Topic, units: readonly AppendUnit[]): Promise<readonly AppendResult[]> {
    const results = new Array<AppendResult>(units.length)
    const parts = new Map<number, { readonly units: Prepared[]; readonly places: number[] }>()
    for (const [place, unit] of units.map((draft) => prepare(topic, draft)).entries()) {
      if (unit instanceof MillraceError) {
        results[place] = { status: 'refused', error: unit }
        continue
      }
      const partition = partitionOfKey(topic, unit.key)
      let part = parts.get(partition)
      if (!part) parts.set(partition, (part = { units: [], places: [] }))
      part.units.push(unit)
      part.places.push(place)
    }
    for (const [partition, part] of parts) {
      const answers = this.#partition(topic, partition).append(part.units, this.#clock.now(), this.#bounds)
      for (const [at, answer] of answers.entries()) results[part.places[at] as number] = answer
    }
    this.#wake()
    return results
  }

  async appendChannel(topic: Topic, batch: ChannelBatch): Promise<ChannelResult> {
    const encoded = prepareBatch(topic, batch)
    const result = this.#partition(topic, batch.partition).appendChannel(batch, encoded, this.#clock.now())
    this.#wake()
    return result
  }

  async channel(topic: Topic, partition: number, channel: string): Promise<ChannelState> {
    return this.#partition(topic, partition).channel(channel)
  }

  async fence(topic: Topic, partition: number, fence: Fence): Promise<FenceResult> {
    checkFence(fence)
    return this.#partition(topic, partition).fence(fence)
  }

  async read(
    topic: Topic,
    after: Cursors,
    options: ReadOptions = {},
  ): Promise<ReadonlyMap<number, readonly Recorded[]>> {
    const { limit = 500, waitMs = 0, signal } = options
    const answer = this.#readNow(topic, after, limit)
    return answer.size > 0 || waitMs <= 0 || signal?.aborted
      ? answer
      : this.#news(() => this.#readNow(topic, after, limit), waitMs, signal)
  }

  async readKey(
    topic: Topic,
    key: string,
    options: { afterVersion?: number; limit?: number } = {},
  ): Promise<KeyHistory> {
    return this.#partition(topic, partitionOfKey(topic, key)).readKey(
      key,
      options.afterVersion ?? 0,
      options.limit ?? 500,
    )
  }

  async readAt(topic: Topic, position: Position): Promise<Recorded | undefined> {
    return this.#partition(topic, position.partition).readAt(position.id)
  }

  async tips(topic: Topic, { beforeMs }: { readonly beforeMs?: number } = {}): Promise<readonly Tip[]> {
    return Array.from({ length: topic.partitions }, (_, partition) => {
      const { id, seq } = this.#partition(topic, partition).tip(beforeMs)
      return { partition, id, seq }
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

  #readNow(topic: Topic, after: Cursors, limit: number): Map<number, readonly Recorded[]> {
    const answer = new Map<number, readonly Recorded[]>()
    for (const [partition, cursor] of after) {
      const events = this.#partition(topic, partition).read(cursor, limit)
      if (events.length > 0) answer.set(partition, events)
    }
    return answer
  }

  #partition(topic: Topic, partition: number): MemoryPartition {
    if (!(Number.isInteger(partition) && partition >= 0 && partition < topic.partitions))
      throw new MillraceError('position.invalid', `Topic ${topic.name} has no partition ${partition}`)
    const name = `${topic.name}/${partition}`
    let found = this.#partitions.get(name)
    if (!found)
      this.#partitions.set(name, (found = new MemoryPartition(topic, partition, this.claims.of(topic))))
    return found
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Waits for an answer that holds something, at most so long; answers the last one. */
  #news<T extends { readonly size: number }>(
    look: () => T,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return new Promise((resolve) => {
      const end = (answer: T) => {
        cancel()
        this.#waiting.delete(wake)
        signal?.removeEventListener('abort', over)
        resolve(answer)
      }
      const over = () => end(look())
      // Woken by an append to any topic, so it may find nothing and wait on.
      const wake = () => {
        const answer = look()
        if (answer.size > 0) end(answer)
      }
      const cancel = this.#timers.set(waitMs, over)
      this.#waiting.add(wake)
      signal?.addEventListener('abort', over)
    })
  }
}
