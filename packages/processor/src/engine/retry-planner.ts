import { MillraceError } from '@millrace/event'
import { type RetryClock, retryId, type RetryJob, type RetryRef } from '@millrace/retry'
import type { GroupPartition } from '../group-store.ts'
import type { ParkNote } from '../parked-key.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { Later } from './later.ts'

const pageSize = 200
/** Calls of the clock under way at most; what is beyond is left to the next sweep. */
const mostWaiting = 1_000

/** A park record of which the clock is to know. */
export interface PlannedHead {
  readonly key: string
  readonly no: number
  readonly head: number
  readonly lined: number
  readonly note: ParkNote
}

/** Tells the clock of retries what park records say, after each commit and once more by sweeps. */
export class RetryPlanner {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #clock: RetryClock
  readonly #later: Later
  readonly #failed: (error: unknown) => void
  #waiting = 0
  #ended = false

  constructor(settings: EngineSettings, at: GroupPartition, later: Later, failed: (error: unknown) => void) {
    this.#settings = settings
    this.#at = at
    this.#clock = settings.retryClock
    this.#later = later
    this.#failed = failed
  }

  /** Looks through all records now, and again and again: each is to have its job. */
  start(): void {
    void this.#sweepAll().then(() => {
      this.#later.after(this.#settings.retrySweepMs, () => this.start())
    })
  }

  /** A commit has parked a key, or parked it anew. */
  plan(head: PlannedHead): void {
    if (this.#waiting < mostWaiting) void this.#call(() => this.#clock.schedule(this.#jobOf(head)))
  }

  /** A head is settled: a job of it would find nothing. */
  forget(key: string, no: number, head: number): void {
    if (this.#waiting < mostWaiting)
      void this.#call(() => this.#clock.cancel(retryId(this.#refOf(key, no, head))))
  }

  end(): void {
    this.#ended = true
  }

  async #sweepAll(): Promise<void> {
    const { store } = this.#settings
    try {
      let after: string | undefined
      do {
        const options = { limit: pageSize, ...(after === undefined ? {} : { after }) }
        const { items, next } = await store.parked(this.#at, options)
        if (this.#ended) return
        if (items.length > 0) await this.#clock.sweep(items.map((record) => this.#jobOf(record)))
        after = next
      } while (after !== undefined && !this.#ended)
    } catch (error) {
      this.#tell(error)
    }
  }

  async #call(act: () => Promise<unknown>): Promise<void> {
    this.#waiting += 1
    try {
      await act()
    } catch (error) {
      this.#tell(error)
    } finally {
      this.#waiting -= 1
    }
  }

  #tell(error: unknown): void {
    if (this.#ended) return
    if (error instanceof MillraceError && error.retryable)
      this.#settings.tell({ kind: 'trouble', partition: this.#at.partition, error })
    else this.#failed(error)
  }

  #refOf(key: string, parkNo: number, head: number): RetryRef {
    const { topic, partition, group, generation = 0 } = this.#at
    return { topic: topic.name, partition, group, generation, key, parkNo, head }
  }

  #jobOf({ key, no, head, lined, note }: PlannedHead): RetryJob {
    const { type, eventId, correlationId, traceparent, reason, message, stack, fingerprint, sinceMs } = note
    return {
      ...this.#refOf(key, no, head),
      dueMs: note.dueMs ?? 0,
      attempt: note.attempts,
      ...(note.why === 'operator' ? { held: true } : {}),
      story: {
        ...{ type, eventId, reason, error: message, fingerprint, lined, sinceMs },
        ...(correlationId === undefined ? {} : { correlationId }),
        ...(traceparent === undefined ? {} : { traceparent }),
        ...(stack === undefined ? {} : { stack }),
      },
    }
  }
}
