import { MillraceError } from '@millrace/event'
import { backoffMs } from '@millrace/retry'
import type { GroupPartition } from '../group-store.ts'
import type { KeyTimer, TimerSetting } from '../key-timer.ts'
import type { EngineSettings } from './engine-settings.ts'

const retry = { firstMs: 50, maxMs: 2_000 }
const mostAtOnce = 200
/** A timer further away is looked for again: clocks of machines take times above 24 days for none. */
const furthestMs = 3_600_000

/** What a timer watch tells the engine that it works for. */
export interface TimerOwner {
  due(timers: readonly KeyTimer[]): void
  failed(error: unknown): void
}

/** Asks the store for the timers of a partition that are due, when the first of them is. */
export class TimerWatch {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #owner: TimerOwner
  /** Handed over, and no commit has settled them yet. */
  readonly #underWay = new Set<string>()
  /** When the next one is due that was not handed over. */
  #nextMs = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined
  #asking = false
  #failures = 0
  #ended = false

  constructor(settings: EngineSettings, at: GroupPartition, owner: TimerOwner) {
    this.#settings = settings
    this.#at = at
    this.#owner = owner
  }

  start(): void {
    this.#nextMs = 0
    void this.#ask()
  }

  /** A commit has set timers, and settled others. */
  committed(set: readonly TimerSetting[], settled: readonly KeyTimer[]): void {
    for (const timer of settled) this.#underWay.delete(nameOf(timer))
    let next = this.#nextMs
    for (const { dueMs } of set) if (dueMs !== undefined && dueMs < next) next = dueMs
    if (next < this.#nextMs || settled.length > 0) {
      this.#nextMs = next
      this.#plan()
    }
  }

  end(): void {
    this.#ended = true
    this.#cancel?.()
  }

  #plan(afterMs?: number): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#ended || this.#asking) return
    const waitMs = afterMs ?? this.#nextMs - this.#settings.clock.now()
    if (this.#nextMs === Number.POSITIVE_INFINITY) return
    if (this.#underWay.size >= mostAtOnce) return
    this.#cancel = this.#settings.timers.set(Math.max(0, Math.min(waitMs, furthestMs)), () => {
      this.#cancel = undefined
      void this.#ask()
    })
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.#ended) return
    this.#asking = true
    let afterMs: number | undefined
    try {
      const nowMs = this.#settings.clock.now()
      this.#nextMs = Number.POSITIVE_INFINITY
      const limit = mostAtOnce + this.#underWay.size
      const { timers, nextMs } = await this.#settings.store.dueTimers(this.#at, nowMs, limit)
      if (nextMs !== undefined) this.#nextMs = Math.min(this.#nextMs, nextMs)
      const fresh = timers.filter((timer) => !this.#underWay.has(nameOf(timer)))
      for (const timer of fresh) this.#underWay.add(nameOf(timer))
      this.#failures = 0
      if (fresh.length > 0 && !this.#ended) this.#owner.due(fresh)
    } catch (error) {
      if (!(error instanceof MillraceError && error.retryable)) {
        this.#owner.failed(error)
        return
      }
      this.#settings.tell({ kind: 'trouble', partition: this.#at.partition, error })
      this.#nextMs = 0
      this.#failures += 1
      afterMs = backoffMs(retry, this.#failures, this.#settings.random())
    } finally {
      this.#asking = false
    }
    this.#plan(afterMs)
  }
}

function nameOf({ key, name, dueMs }: KeyTimer): string {
  return `${key}\n${name}\n${dueMs}`
}
