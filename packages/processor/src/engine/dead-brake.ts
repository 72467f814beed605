import type { Clock } from '@millrace/event'
import type { ConsumerNews } from '../consumer-event.ts'
import type { ConsumerHealth } from '../consumer-health.ts'
import type { Gate } from '../consumer-settings.ts'
import { Occasion } from './occasion.ts'

/** How many events may be given up or held in which time, by one member in all its partitions. */
export interface DeadLimit {
  readonly count: number
  readonly withinMs: number
}

/**
 * A gate that shuts when too many events are given up or held: something is wrong with all of them. It stays shut until
 * somebody has looked; nothing is lost meanwhile, and leases are kept.
 */
export class DeadBrake implements Gate {
  readonly #limit: DeadLimit | undefined
  readonly #inner: Gate | undefined
  readonly #clock: Clock
  readonly #released = new Occasion()
  #times: readonly number[] = []
  #shut = false

  constructor(limit: DeadLimit | undefined, inner: Gate | undefined, clock: Clock) {
    this.#limit = limit
    this.#inner = inner
    this.#clock = clock
  }

  get open(): boolean {
    return !this.#shut && (this.#inner?.open ?? true)
  }

  async opened(signal: AbortSignal): Promise<void> {
    const release = () => this.#released.call()
    signal.addEventListener('abort', release)
    try {
      while (this.#shut && !signal.aborted) await this.#released.next()
    } finally {
      signal.removeEventListener('abort', release)
    }
    if (this.#inner !== undefined && !this.#inner.open) await this.#inner.opened(signal)
  }

  /** Counts what is given up or held. */
  hear(news: ConsumerNews): void {
    if (this.#limit === undefined || this.#shut) return
    if (news.kind !== 'dead' && !(news.kind === 'parked' && news.dueMs === undefined)) return
    const nowMs = this.#clock.now()
    const { count, withinMs } = this.#limit
    this.#times = [...this.#times.filter((atMs) => atMs > nowMs - withinMs), nowMs]
    this.#shut = this.#times.length > count
  }

  /** Somebody has looked. */
  release(): void {
    this.#shut = false
    this.#times = []
    this.#released.call()
  }

  /** Says why nothing is handed over. */
  explain<H extends ConsumerHealth>(health: H): H {
    if (!this.#shut || this.#limit === undefined) return health
    const { count, withinMs } = this.#limit
    const why = `more than ${count} events were given up or held within ${withinMs} ms: look, then resume`
    return { ...health, state: 'down', message: `${health.message}; ${why}` }
  }
}
