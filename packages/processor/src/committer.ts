import { MillraceError } from '@millrace/event'
import { backoffMs } from './backoff.ts'
import type { EndReason } from './consumer-event.ts'
import type { ConsumerSettings } from './consumer-settings.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { DeliveryWindow } from './delivery-window.ts'
import { sleep } from './engine/sleep.ts'
import type { CommitContent, HeldLease } from './held-lease.ts'

const retry = { firstMs: 50, maxMs: 2_000 }

/** What a committer tells the run that it works for. */
export interface CommitterRun {
  /** Another commit is in the store: more may be handled. */
  committed(): void
  /** The store does not take any more commits of this lease. */
  failed(reason: EndReason, error?: unknown): void
}

/** Brings what is settled of one partition into the store: every so many deliveries, or after so much time. */
export class Committer {
  readonly #settings: ConsumerSettings
  readonly #partition: number
  readonly #lease: HeldLease
  readonly #window: DeliveryWindow
  readonly #run: CommitterRun
  readonly #ending = new AbortController()
  #letters: readonly DeadLetter[] = []
  #uncommitted = 0
  #cancel: (() => void) | undefined
  #flushing: Promise<void> | undefined

  constructor(
    settings: ConsumerSettings,
    partition: number,
    lease: HeldLease,
    window: DeliveryWindow,
    run: CommitterRun,
  ) {
    this.#settings = settings
    this.#partition = partition
    this.#lease = lease
    this.#window = window
    this.#run = run
  }

  /** Deliveries that a handler has ended and no commit has carried: what a crash would repeat. */
  get uncommitted(): number {
    return this.#uncommitted
  }

  /** Notes deliveries that are settled in the window. */
  settled(count: number, letter?: DeadLetter): void {
    this.#uncommitted += count
    if (letter) this.#letters = [...this.#letters, letter]
    if (this.#uncommitted >= this.#settings.commitEvery) void this.flush()
    else this.soon()
  }

  /** A commit is due within its time. */
  soon(): void {
    if (this.#ending.signal.aborted) return
    this.#cancel ??= this.#settings.timers.set(this.#settings.commitMs, () => void this.flush())
  }

  /** Commits what is settled by now, however often it takes; ends with the run. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined))
    return this.#flushing
  }

  /** Commits nothing more. */
  end(): void {
    this.#ending.abort()
    this.#cancel?.()
  }

  async #flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    for (let failures = 0; !this.#ending.signal.aborted;) {
      const content = this.#content()
      const count = this.#uncommitted
      if (!content) {
        this.#uncommitted = 0
        return
      }
      try {
        if ((await this.#lease.commit(content)) === 'fenced') this.#run.failed('lost')
        else this.#committed(content, count)
        if (this.#uncommitted < this.#settings.commitEvery) break
        failures = 0
      } catch (error) {
        const passing = error instanceof MillraceError && error.retryable
        if (!passing) this.#run.failed('fault', error)
        else this.#settings.tell({ kind: 'trouble', partition: this.#partition, error })
        failures += 1
        const { timers, random } = this.#settings
        await sleep(timers, backoffMs(retry, failures, random()), this.#ending.signal)
      }
    }
    if (this.#uncommitted > 0) this.soon()
  }

  /** What a commit would say; undefined when the store has it all. The window may be behind the store: see `startAt`. */
  #content(): CommitContent | undefined {
    const stored = this.#lease.position
    const position = this.#window.position.seq > stored.seq ? this.#window.position : stored
    const ahead = this.#window.aheadOf(position)
    const news =
      position.seq > stored.seq || this.#letters.length > 0 || (this.#uncommitted > 0 && ahead.length > 0)
    return news ? { position, ahead, dead: this.#letters } : undefined
  }

  #committed(content: CommitContent, count: number): void {
    this.#uncommitted -= count
    this.#letters = this.#letters.slice(content.dead.length)
    const { position } = content
    const lag = Math.max(this.#lease.tip, this.#window.cursor.seq) - position.seq
    this.#settings.tell({ kind: 'progress', partition: this.#partition, position, settled: count, lag })
    this.#run.committed()
  }
}
