import { MillraceError } from '@millrace/event'
import type { Cursors, Recorded } from '@millrace/log'
import { backoffMs } from '@millrace/retry'
import type { ConsumerSettings } from './consumer-settings.ts'
import { sleep } from './engine/sleep.ts'
import type { PartitionWork } from './partition-work.ts'
import { WakeUp } from './wake-up.ts'

const retry = { firstMs: 50, maxMs: 2_000 }
/** How long one waiting read takes at most, in ms: a partition that comes to it later is read without delay meanwhile. */
const watchMs = 250

/**
 * Reads the log for all partitions of a member: those that are up to date by one waiting read together, those that
 * are behind one by one, as room comes free. A partition without room is not read: that is the back-pressure.
 */
export class Reader {
  readonly #settings: ConsumerSettings
  readonly #runs: ReadonlyMap<number, PartitionWork>
  readonly #stopping: AbortSignal
  readonly #news: (run: PartitionWork) => void
  readonly #reading = new WeakSet<PartitionWork>()
  readonly #behind = new WeakSet<PartitionWork>()
  readonly #wake: WakeUp
  readonly #size: number
  #failures = 0

  /** @param news Called when a read was answered for a run. */
  constructor(
    settings: ConsumerSettings,
    runs: ReadonlyMap<number, PartitionWork>,
    stopping: AbortSignal,
    news: (run: PartitionWork) => void,
  ) {
    this.#settings = settings
    this.#wake = new WakeUp(settings.timers)
    this.#runs = runs
    this.#stopping = stopping
    this.#news = news
    // Read in quarters of the window: fewer and larger reads than filling each free place at once.
    this.#size = Math.max(1, Math.ceil(settings.window / 4))
    stopping.addEventListener('abort', () => this.#wake.call(), { once: true })
  }

  /** A run has begun: it is behind until a read says otherwise. */
  added(run: PartitionWork): void {
    this.#behind.add(run)
    void this.#catchUp(run)
  }

  /** Room may have come free. */
  changed(run: PartitionWork): void {
    if (this.#behind.has(run)) void this.#catchUp(run)
    else if (!this.#reading.has(run)) this.#wake.call()
  }

  /** Waits for news of the partitions that are up to date, until the stop. */
  async watch(): Promise<void> {
    while (!this.#stopping.aborted) {
      const runs = [...this.#runs.values()].filter((run) => this.#mayRead(run) && !this.#behind.has(run))
      if (runs.length === 0) {
        await this.#wake.sleep()
        continue
      }
      await this.#readFor(runs, watchMs)
      for (const run of runs) this.changed(run)
    }
  }

  async #catchUp(run: PartitionWork): Promise<void> {
    while (this.#mayRead(run) && this.#behind.has(run)) await this.#readFor([run], 0)
    this.#wake.call()
  }

  #mayRead(run: PartitionWork): boolean {
    return (
      !this.#stopping.aborted && !this.#reading.has(run) && run.end === undefined && run.room >= this.#size
    )
  }

  async #readFor(runs: readonly PartitionWork[], waitMs: number): Promise<void> {
    const { log, topic } = this.#settings
    const cursors: Cursors = new Map(runs.map((run) => [run.partition, run.cursor.id]))
    for (const run of runs) this.#reading.add(run)
    try {
      const bounds = {
        limit: this.#size,
        ...(waitMs > 0 ? { waitMs, signal: this.#stopping } : { ahead: true }),
      }
      const answer = await log.read(topic, cursors, bounds)
      this.#failures = 0
      for (const run of runs) this.#take(run, answer.get(run.partition) ?? [])
    } catch (error) {
      await this.#failed(runs, error)
    } finally {
      for (const run of runs) this.#reading.delete(run)
    }
    for (const run of runs) this.#news(run)
  }

  #take(run: PartitionWork, events: readonly Recorded[]): void {
    if (events.length >= this.#size) this.#behind.add(run)
    else this.#behind.delete(run)
    // An answer may hold the rest of an entry beyond its limit; it is read again when there is room.
    run.intake(events.slice(0, run.room))
  }

  async #failed(runs: readonly PartitionWork[], error: unknown): Promise<void> {
    if (error instanceof MillraceError && error.retryable) {
      const { timers, random, tell } = this.#settings
      tell({ kind: 'trouble', error })
      this.#failures += 1
      await sleep(timers, backoffMs(retry, this.#failures, random()), this.#stopping)
    } else if (runs.length === 1) runs[0]?.endBy('fault', error)
    // Which partition it is, they will show one by one.
    else for (const run of runs) this.#behind.add(run)
  }
}
