import { MillraceError } from '@millrace/event'
import { backoffMs } from '@millrace/retry'
import type { EndReason } from '../consumer-event.ts'
import type { CommitContent, Committed, EngineLease } from './engine-lease.ts'
import type { EngineSettings } from './engine-settings.ts'
import { sleep } from './sleep.ts'

const retry = { firstMs: 50, maxMs: 2_000 }

/** What a committer needs of the engine's settings. */
type CommitterSettings = Pick<EngineSettings, 'tell' | 'timers' | 'random' | 'commitEvery' | 'commitMs'>

/** What one commit carries, and what it means once it is true. */
export interface Batch {
  readonly content: CommitContent
  /** What comes behind it can be gathered before its result is known: nothing in that depends on it. */
  readonly plain: boolean
  committed(result: Committed): void
}

/** What a committer asks of the engine that it works for, and tells it. */
export interface CommitterOwner {
  /** Deliveries that are settled and in no commit. */
  uncommitted(): number
  /** Everything that is to be committed next; undefined when there is nothing. */
  harvest(): Batch | undefined
  /** The store does not take any more commits of this lease. */
  failed(reason: EndReason, error?: unknown): void
}

/**
 * Brings what is settled of one partition into the store: one commit after the other, each with everything that was
 * settled while the one before was under way. A full one is gathered as soon as it is full, so that the store need not
 * wait for it; it is sent when the result of the one before is known.
 */
export class EngineCommitter {
  readonly #settings: CommitterSettings
  readonly #lease: EngineLease
  readonly #owner: CommitterOwner
  readonly #ending = new AbortController()
  #cancel: (() => void) | undefined
  #flushing: Promise<void> | undefined
  /** The one that is under way. */
  #sent: Batch | undefined
  /** Gathered, and sent when the one that is under way has come back. */
  #next: Batch | undefined

  constructor(settings: CommitterSettings, lease: EngineLease, owner: CommitterOwner) {
    this.#settings = settings
    this.#lease = lease
    this.#owner = owner
  }

  /** There is more to commit. */
  noted(): void {
    if (this.#ending.signal.aborted) return
    if (this.#flushing) {
      if (this.#mayGather()) queueMicrotask(() => this.#gather())
    } else if (this.#owner.uncommitted() >= this.#settings.commitEvery) void this.flush()
    else this.#soon()
  }

  /** Commits what is settled by now, however often it takes; ends with the run. */
  flush(): Promise<void> {
    // Begun behind what runs now: what gathering finds out about may say that there is more to commit.
    this.#flushing ??= Promise.resolve()
      .then(() => this.#flush())
      .finally(() => {
        this.#flushing = undefined
        if (this.#owner.uncommitted() > 0) this.noted()
      })
    return this.#flushing
  }

  /** Commits nothing more. */
  end(): void {
    this.#ending.abort()
    this.#cancel?.()
  }

  #soon(): void {
    if (this.#cancel || this.#ending.signal.aborted) return
    this.#cancel = this.#settings.timers.set(this.#settings.commitMs, () => void this.flush())
  }

  async #flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    while (!this.#ending.signal.aborted) {
      const batch = this.#next ?? this.#owner.harvest()
      this.#next = undefined
      if (!batch) return
      this.#sent = batch
      const result = await this.#send(batch.content)
      this.#sent = undefined
      if (result === undefined) return
      batch.committed(result)
      if (!this.#next && this.#owner.uncommitted() < this.#settings.commitEvery) return
    }
  }

  #mayGather(): boolean {
    return (
      this.#sent?.plain === true &&
      this.#next === undefined &&
      this.#owner.uncommitted() >= this.#settings.commitEvery
    )
  }

  /** Begun behind what runs now, as a commit is. */
  #gather(): void {
    if (!this.#ending.signal.aborted && this.#mayGather()) this.#next = this.#owner.harvest()
  }

  /** Sends a commit until its result is known; undefined: the run has ended. */
  async #send(content: CommitContent): Promise<Committed | undefined> {
    const { tell, timers, random } = this.#settings
    const ending = this.#ending.signal
    for (let failures = 0; !ending.aborted;) {
      try {
        const result = await (failures === 0 ? this.#lease.commit(content) : this.#lease.repeat())
        if (ending.aborted) return undefined
        if (result !== 'fenced') return result
        this.#lost()
      } catch (error) {
        if (error instanceof TypeError && (await this.#isLost())) this.#lost()
        else if (!(error instanceof MillraceError && error.retryable))
          this.#owner.failed(wasMigrated(error) ? 'restart' : 'fault', error)
        else tell({ kind: 'trouble', partition: this.#lease.at.partition, error })
        failures += 1
        await sleep(timers, backoffMs(retry, failures, random()), ending)
      }
    }
    return undefined
  }

  #lost(): void {
    this.#settings.tell({ kind: 'fenced', partition: this.#lease.at.partition })
    this.#owner.failed('lost')
  }

  /**
   * A member that was paused past its lease may have put together what it knew before with what it has read since. Such
   * a commit contradicts itself and is never sent, so that nobody has told the member that it is fenced.
   */
  async #isLost(): Promise<boolean> {
    try {
      return await this.#lease.lost()
    } catch (error) {
      this.#settings.tell({ kind: 'trouble', partition: this.#lease.at.partition, error })
      return false
    }
  }
}

/** Somebody has kept what another system says of a key while this one has asked by itself: begun again, it finds that. */
function wasMigrated(error: unknown): boolean {
  return error instanceof MillraceError && error.details['fault'] === 'migrated'
}
