import { MillraceError, systemTimers, type Timers } from '@millrace/event'
import type { EventLog, Recorded } from '@millrace/log'
import type { Checkpoint } from './checkpoint.ts'
import { PartitionWriter } from './partition-writer.ts'
import { isPoison } from './poison.ts'
import type { View } from './view.ts'
import type { Held, ViewStore } from './view-store.ts'

/** What a {@link ViewWriter} writes, and where to. */
export interface ViewWriterOptions<Tx> {
  readonly store: Pick<ViewStore<Tx>, 'take' | 'holds' | 'applyHeld'>
  readonly view: View<Tx>
  readonly log: Pick<EventLog, 'read'>
  readonly timers?: Timers
}

/** A partition that a member of the view's group has taken, and where the group stands in it. */
export interface TakenPartition extends Held {
  readonly position: Checkpoint
  /** What the group has settled beyond its position. */
  readonly ahead: readonly number[]
}

const pageEvents = 500

/**
 * Writes a view for a processor whose lanes run at once: the events that are handled at the same time go into one
 * transaction, which demands the token of the partition's lease. An event is applied when it is above what its key
 * has seen, so whatever a crash repeats is in the data once.
 */
export class ViewWriter<Tx> {
  readonly #options: ViewWriterOptions<Tx>
  readonly #timers: Timers
  readonly #partitions = new Map<number, PartitionWriter<Tx>>()
  #waiting: (() => void)[] = []

  constructor(options: ViewWriterOptions<Tx>) {
    this.#options = options
    this.#timers = options.timers ?? systemTimers
  }

  /** Whether the view can be reached, as far as is known: a gate for handlers. */
  get open(): boolean {
    return ![...this.#partitions.values()].some(({ away }) => away)
  }

  /** Resolves when the view can be reached again, or with the signal. */
  opened(signal: AbortSignal): Promise<void> {
    if (this.open || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      this.#waiting.push(resolve)
    })
  }

  /**
   * Takes a partition of the view, and brings it to where the group stands: a view that was deleted, restored or
   * swapped lacks events that the group will never be handed again.
   */
  async taken(at: TakenPartition, signal: AbortSignal): Promise<void> {
    const { store, view } = this.#options
    const held: Held = { partition: at.partition, token: at.token }
    const { id, seq } = await store.take(held)
    const ahead = new Set(at.ahead)
    const tip = Math.max(at.position.seq, ...at.ahead)
    for (let cursor = { id, seq }; cursor.seq < tip;) {
      signal.throwIfAborted()
      const page = await this.#page(at.partition, cursor.id)
      const last = page.at(-1)
      if (!last) break
      const events = page.filter(({ position }) => position.seq <= at.position.seq || ahead.has(position.seq))
      await this.#bring(held, events, at.position.seq)
      cursor = last.position
    }
    void this.#partitions.get(at.partition)?.end()
    const parts = { store, view, held, timers: this.#timers, changed: () => this.#changed() }
    this.#partitions.set(at.partition, new PartitionWriter(parts))
    this.#changed()
  }

  /** Whether a partition of the view is still in this hand, and the same generation. */
  holds(held: Held): Promise<boolean> {
    return this.#options.store.holds(held)
  }

  /**
   * Resolves when an event is in the view; of one key, one after the other. While the view cannot be reached it waits:
   * a key that failed would be parked, and the checkpoint would pass its event.
   *
   * @throws MillraceError `view.taken` when the partition is in other hands; what the fold and the store throw
   */
  async write(recorded: Recorded, signal: AbortSignal): Promise<void> {
    const { partition } = recorded.position
    const writer = this.#partitions.get(partition)
    if (!writer) throw new MillraceError('view.taken', `Partition ${partition} was not taken`)
    await writer.write(recorded, signal)
  }

  /** The group has settled everything up to there. */
  reached(partition: number, position: Checkpoint): void {
    this.#partitions.get(partition)?.reached(position)
  }

  /** Writes the checkpoints that wait. To be called when nothing is written any more. */
  async end(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map((writer) => writer.end()))
    this.#partitions.clear()
  }

  #changed(): void {
    if (!this.open) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  async #page(partition: number, after: string): Promise<readonly Recorded[]> {
    const { log, view } = this.#options
    return (
      (await log.read(view.topic, new Map([[partition, after]]), { limit: pageEvents })).get(partition) ?? []
    )
  }

  /** What cannot be folded is among the group's dead letters: the view leaves it out, as it did then. */
  async #bring(held: Held, events: readonly Recorded[], settledTo: number): Promise<void> {
    const { store, view } = this.#options
    const last = events.findLast(({ position }) => position.seq <= settledTo)?.position
    const reached = last && { id: last.id, seq: last.seq }
    try {
      await store.applyHeld(held, events, view, reached)
    } catch (error) {
      if (!isPoison(error)) throw error
      if (events.length > 1) for (const one of events) await this.#bring(held, [one], settledTo)
      else await store.applyHeld(held, [], view, reached)
    }
  }
}
