import { retryAfterOf, backoffMs, fingerprintOf } from '@millrace/retry'
import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  handleWhen,
  type IBackoff,
  type IBreaker,
} from 'cockatiel'
import type { Clock } from '@millrace/event'
import type { Timers } from '../lane/timers.ts'
import type { EffectFailure } from './effect-failure.ts'

/** When the breaker of an effect opens, how it probes, and how it lets what has waited go. */
export interface EffectBreakerBounds {
  /** Failures in a row that open it: of several effects, or of one when the other end is away for sure. */
  readonly failures: number
  /** From opening to the first probe, in ms; doubled after each failed one. */
  readonly firstProbeMs: number
  /** The longest pause between probes, in ms. A `Retry-After` may be longer. */
  readonly maxProbeMs: number
  /** How many attempts at once when it has closed; one more with each that is answered. */
  readonly rampFrom: number
  /** With so many at once the ramp is over. */
  readonly rampTo: number
}

export const effectBreakerBounds = {
  failures: 5,
  firstProbeMs: 1_000,
  maxProbeMs: 60_000,
  rampFrom: 1,
  rampTo: 64,
} as const satisfies EffectBreakerBounds

/**
 * ```text
 *              failures in a row
 *  closed ─────────────────────────▶ open ◀──────────────────┐
 *    ▲  few at once, then more        │                       │
 *    │                                │ the pause is over:    │ the probe failed:
 *    │ the probe was answered:        │ one attempt           │ a longer pause
 *    │ done, or refused for good      ▼                       │
 *    └──────────────────────────── half-open ─────────────────┘
 * ```
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** How the breaker of an effect is. */
export interface EffectBreakerHealth {
  readonly name: string
  readonly state: BreakerState
  /** When it came to that state, in ms since the epoch. */
  readonly sinceMs: number
  /** When the next probe is due, in ms since the epoch. */
  readonly probeAtMs?: number
  /** Effects that wait behind it in this member. */
  readonly waiting: number
  /** The class of the last failure; shows no address. */
  readonly reason?: string
}

interface Surroundings {
  readonly clock: Clock
  readonly timers: Timers
  /** From 0 up to 1. */
  readonly random: () => number
  /** Hears of every change of state. */
  readonly changed: (breaker: EffectBreaker, previous: BreakerState) => void
}

/** A failed attempt on its way through the policy. */
class Failure extends Error {
  readonly failure: EffectFailure

  constructor(failure: EffectFailure, cause: unknown) {
    super('An attempt failed', { cause })
    this.failure = failure
  }
}

/**
 * The circuit breaker before one effect of a running processor, for all its partitions. An attempt is begun when
 * `enter` says so, and goes through `attempt`. While it is open, what waits costs nothing: no timers, no attempts.
 */
export class EffectBreaker {
  readonly name: string
  /** Effects that wait behind it. Its runners count. */
  waiting = 0
  readonly #bounds: EffectBreakerBounds
  readonly #around: Surroundings
  readonly #policy: CircuitBreakerPolicy
  readonly #row: FailureRow
  readonly #listeners = new Set<() => void>()
  #state: BreakerState = 'closed'
  #sinceMs: number
  #probeAtMs: number | undefined
  #probeDue = false
  #opened = 0
  #running = 0
  #atOnce = Number.POSITIVE_INFINITY
  #lastError: unknown
  #cancel: () => void = nothing

  constructor(name: string, bounds: EffectBreakerBounds, around: Surroundings) {
    this.name = name
    this.#bounds = bounds
    this.#around = around
    this.#sinceMs = around.clock.now()
    this.#row = new FailureRow(bounds.failures)
    this.#policy = circuitBreaker(
      handleWhen((error) => this.#counts(error)),
      { breaker: this.#row, halfOpenAfter: atOnce },
    )
    this.#policy.onStateChange((state) => this.#changed(stateOf(state)))
  }

  get state(): BreakerState {
    return this.#state
  }

  /** How many probes have failed in a row. */
  get probesInVain(): number {
    return Math.max(this.#opened - 1, 0)
  }

  health(): EffectBreakerHealth {
    return {
      name: this.name,
      state: this.#state,
      sinceMs: this.#sinceMs,
      ...(this.#probeAtMs === undefined ? {} : { probeAtMs: this.#probeAtMs }),
      waiting: this.waiting,
      ...(this.#lastError === undefined ? {} : { reason: fingerprintOf(this.#lastError).reason }),
    }
  }

  /** Calls back when more may be begun than before; returns what ends that. Without listeners it sets no timers. */
  onRoom(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (this.#state === 'open' && !this.#probeDue && this.#listeners.size === 1) this.#arm()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#cancel()
    }
  }

  /** Whether an attempt may be begun now. Whoever hears yes begins one. */
  enter(): boolean {
    if (this.#state === 'half-open') return false
    if (this.#state === 'open' ? !this.#probeDue : this.#running >= this.#atOnce) return false
    this.#probeDue = false
    this.#running += 1
    return true
  }

  /** One attempt; throws what it throws. `failureOf` says what a failure means. */
  async attempt(
    idempotencyKey: string,
    run: () => Promise<void>,
    failureOf: (error: unknown) => EffectFailure,
  ): Promise<void> {
    try {
      const refused = await this.#policy.execute(() => this.#tried(idempotencyKey, run, failureOf))
      if (refused !== undefined) throw refused.error
    } catch (error) {
      throw error instanceof Failure ? error.cause : error
    } finally {
      this.#running -= 1
      if (this.#atOnce !== Number.POSITIVE_INFINITY) this.#room()
    }
  }

  async #tried(
    idempotencyKey: string,
    run: () => Promise<void>,
    failureOf: (error: unknown) => EffectFailure,
  ): Promise<{ readonly error: unknown } | undefined> {
    try {
      await run()
    } catch (error) {
      const failure = failureOf(error)
      // For the policy that is a success: somebody has answered.
      if (failure === 'answered') {
        this.#answered()
        return { error }
      }
      if (failure !== 'dropped') {
        this.#lastError = error
        this.#row.note(idempotencyKey, failure === 'away')
      }
      throw new Failure(failure, error)
    }
    this.#answered()
    return undefined
  }

  // An attempt that we gave up does not open the breaker, but as a probe it has shown nothing.
  #counts(error: unknown): boolean {
    const dropped = error instanceof Failure && error.failure === 'dropped'
    return !dropped || this.#state === 'half-open'
  }

  #answered(): void {
    if (this.#state !== 'closed' || this.#atOnce === Number.POSITIVE_INFINITY) return
    this.#atOnce = this.#atOnce >= this.#bounds.rampTo ? Number.POSITIVE_INFINITY : this.#atOnce + 1
  }

  #changed(state: BreakerState): void {
    const previous = this.#state
    const { clock, random, changed } = this.#around
    this.#state = state
    this.#sinceMs = clock.now()
    this.#cancel()
    this.#probeAtMs = undefined
    this.#probeDue = false
    if (state === 'open') {
      this.#opened += 1
      const { firstProbeMs, maxProbeMs } = this.#bounds
      const wishedMs = retryAfterOf(this.#lastError, clock.now()) ?? 0
      const pauseMs = backoffMs(
        { firstMs: firstProbeMs, maxMs: maxProbeMs },
        this.#opened,
        random(),
        wishedMs,
      )
      this.#probeAtMs = clock.now() + pauseMs
      this.#arm()
    } else if (state === 'closed') {
      this.#opened = 0
      this.#atOnce = this.#bounds.rampFrom
    }
    changed(this, previous)
    this.#room()
  }

  #arm(): void {
    if (this.#listeners.size === 0) return
    const { clock, timers } = this.#around
    this.#cancel()
    this.#cancel = timers.set(Math.max((this.#probeAtMs ?? 0) - clock.now(), 0), () => {
      this.#probeDue = true
      this.#room()
    })
  }

  #room(): void {
    const [first] = this.#listeners
    if (first === undefined) return
    for (const listener of [...this.#listeners]) listener()
    // Each partition is the first in turn.
    if (this.#listeners.delete(first)) this.#listeners.add(first)
  }
}

/**
 * Failures without an answer between them. One effect alone, which may be what the other end chokes on, does not open
 * the breaker unless the other end is away for sure: its attempts run out instead.
 */
class FailureRow implements IBreaker {
  state: unknown
  readonly #most: number
  readonly #failing = new Set<string>()
  #length = 0
  #away = false

  constructor(most: number) {
    this.#most = most
  }

  note(idempotencyKey: string, away: boolean): void {
    this.#length += 1
    if (this.#failing.size < 2) this.#failing.add(idempotencyKey)
    this.#away ||= away
  }

  success(): void {
    this.#failing.clear()
    this.#length = 0
    this.#away = false
  }

  failure(): boolean {
    return this.#length >= this.#most && (this.#away || this.#failing.size > 1)
  }
}

// The pause is kept by our own timers, so that tests and the simulation can turn it: the policy has none, whatever
// the machine's clock says.
const atOnce: IBackoff<unknown> = { duration: Number.NEGATIVE_INFINITY, next: () => atOnce }

function stateOf(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed'
  return state === CircuitState.HalfOpen ? 'half-open' : 'open'
}

function nothing(): void {
  // No timer is set.
}
