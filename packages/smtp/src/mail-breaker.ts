import {
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  type IBackoff,
  type IHalfOpenAfterBackoffContext,
} from 'cockatiel'
import { type MailFailure, mailFailureOf } from './mail-failure.ts'

/**
 * ```text
 *              N provider failures in a row
 *  closed ──────────────────────────────────────▶ open ◀────────────────┐
 *    ▲                                             │                     │
 *    │ the probe was answered:                     │ the pause is over:  │ the probe failed:
 *    │ taken, refused or put off                   │ one mail tries      │ a longer pause
 *    │                                             ▼                     │
 *    └──────────────────────────────────────── half-open ────────────────┘
 * ```
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

export interface BreakerSettings {
  /** Provider failures in a row, over all mails, that open the breaker. */
  readonly failures: number
  /** Milliseconds from opening to the first probe; doubled after each failed one. */
  readonly firstProbeMs: number
  /** The longest pause between probes; a `Retry-After` of the provider may be longer. */
  readonly maxProbeMs: number
}

/** What an attempt came to: the breaker lets every result through as a value. */
export type Attempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown; readonly failure: MailFailure | undefined }
  | { readonly kind: 'not-allowed' }

/** The circuit breaker before one provider. It never waits: `attempt` goes through or is not allowed. */
export class MailBreaker {
  readonly #policy: CircuitBreakerPolicy
  readonly #listeners = new Set<(state: BreakerState, previous: BreakerState) => void>()
  #state: BreakerState = 'closed'
  #pauseMs = 0
  #answered = 0
  #failuresInRow = 0
  #lastFailure: MailFailure | undefined

  constructor(settings: BreakerSettings) {
    this.#policy = circuitBreaker(
      handleWhen((error) => this.#counts(error)),
      {
        breaker: new ConsecutiveBreaker(settings.failures),
        halfOpenAfter: { next: (context) => this.#pause(context, settings) },
      },
    )
    this.#policy.onStateChange((state) => this.#changed(state))
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Milliseconds between the last opening and its probe. */
  get pauseMs(): number {
    return this.#pauseMs
  }

  /** How often the provider has answered for a mail, whatever the answer: a sign of life. */
  get answered(): number {
    return this.#answered
  }

  /** Provider failures since its last answer. */
  get failuresInRow(): number {
    return this.#failuresInRow
  }

  /** The latest failure that was the provider's. */
  get lastFailure(): MailFailure | undefined {
    return this.#lastFailure
  }

  /** Calls back on every change of state; returns what ends that. A listener must not throw. */
  onStateChange(listener: (state: BreakerState, previous: BreakerState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async attempt<T>(send: () => Promise<T>): Promise<Attempt<T>> {
    try {
      return await this.#policy.execute(async () => {
        const attempt = await settled(send)
        const alive = attempt.kind === 'done' || attempt.failure?.scope === 'message'
        if (attempt.kind === 'failed' && !alive) throw attempt.error
        this.#answered += 1
        this.#failuresInRow = 0
        return attempt
      })
    } catch (error) {
      if (error instanceof BrokenCircuitError) return { kind: 'not-allowed' }
      return { kind: 'failed', error, failure: mailFailureOf(error) }
    }
  }

  // What is neither the provider's fault nor an answer of it (a stop, a mistake in the code) does not open
  // the breaker, but as a probe it has shown nothing: cockatiel would take it as a success and close.
  #counts(error: unknown): boolean {
    const failure = mailFailureOf(error)
    if (failure?.scope !== 'provider') return this.#state === 'half-open'
    this.#lastFailure = failure
    this.#failuresInRow += 1
    return true
  }

  #pause(
    { attempt, result }: IHalfOpenAfterBackoffContext,
    settings: BreakerSettings,
  ): IBackoff<IHalfOpenAfterBackoffContext> {
    const grown = Math.min(settings.firstProbeMs * 2 ** Math.min(attempt - 1, 30), settings.maxProbeMs)
    const wished = 'error' in result ? (mailFailureOf(result.error)?.retryAfterMs ?? 0) : 0
    this.#pauseMs = Math.max(grown, wished)
    return { duration: this.#pauseMs, next: (context) => this.#pause(context, settings) }
  }

  #changed(circuit: CircuitState): void {
    const previous = this.#state
    this.#state = stateOf(circuit)
    for (const listener of this.#listeners) listener(this.#state, previous)
  }
}

async function settled<T>(send: () => Promise<T>): Promise<Exclude<Attempt<T>, { kind: 'not-allowed' }>> {
  try {
    return { kind: 'done', value: await send() }
  } catch (error) {
    return { kind: 'failed', error, failure: mailFailureOf(error) }
  }
}

function stateOf(circuit: CircuitState): BreakerState {
  switch (circuit) {
    case CircuitState.Closed:
      return 'closed'
    case CircuitState.HalfOpen:
      return 'half-open'
    case CircuitState.Open:
    case CircuitState.Isolated:
      return 'open'
  }
}
