import { type Clock, MillraceError, systemClock, systemTimers, type Timers } from '@millrace/event'
import { type Backoff, backoffMs, retryAfterOf } from '@millrace/retry'
import { mayPass, type Saga, type Step } from './saga.ts'
import type { SagaProgress, SagaRecord, SagaStore, TakenSaga } from './saga-store.ts'

/** Options of {@link SagaRunner}. */
export interface SagaRunnerOptions {
  readonly store: SagaStore
  readonly sagas: readonly Saga<never>[]
  readonly clock?: Clock
  readonly timers?: Timers
  /** From 0 up to 1. */
  readonly random?: () => number
  /** Attempts of a step before it has failed for good. Default 20. */
  readonly attempts?: number
  /** Pauses between attempts. Default from 1 s to 5 min. */
  readonly retry?: Backoff
  /** Most time for one attempt of a step, in ms. Default 30,000. */
  readonly stepMs?: number
  /** How long a stop waits for the steps in hand, in ms. Default 2,500. */
  readonly stopMs?: number
  /** How often it looks for sagas that are due or were left behind, in ms. Default 1,000. */
  readonly beatMs?: number
  /** Most sagas that are carried out at once. Default 8. */
  readonly atOnce?: number
  /** Hears of every record that this runner has saved; must not throw. */
  readonly onSaved?: (record: SagaRecord) => void
  /** Hears of failures of the store, and of sagas that nobody has declared. */
  readonly onTrouble?: (error: unknown) => void
}

/**
 * Carries sagas out, step by step, each recorded before the next one begins. A crash between a step and its record
 * repeats the step with the same idempotency key; a runner that was paused past its hold records nothing any more.
 */
export class SagaRunner {
  readonly #options: SagaRunnerOptions
  readonly #sagas: ReadonlyMap<string, Saga<never>>
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #stepMs: number
  readonly #ending = new AbortController()
  /** Ends the attempts that a stop has waited for long enough. */
  readonly #cutOff = new AbortController()
  /** What this runner carries out, by id. */
  readonly #inHand = new Map<string, Promise<void>>()
  #cancelBeat: () => void = () => undefined
  #beat: Promise<void> | undefined

  constructor(options: SagaRunnerOptions) {
    this.#options = options
    this.#sagas = new Map(options.sagas.map((one) => [one.name, one]))
    this.#clock = options.clock ?? systemClock
    this.#timers = options.timers ?? systemTimers
    this.#stepMs = options.stepMs ?? 30_000
  }

  /** Begins to look for sagas that are due. */
  start(): void {
    this.#cancelBeat = this.#timers.set(this.#options.beatMs ?? 1_000, () => {
      this.#beat = this.#carryOutDue()
        .catch((error: unknown) => this.#options.onTrouble?.(error))
        .then(() => {
          if (!this.#ending.signal.aborted) this.start()
        })
    })
  }

  /** Stops looking, and waits for the steps in hand; what is left goes on with the next runner, and has lost no attempt. */
  async stop(): Promise<void> {
    this.#cancelBeat()
    this.#ending.abort()
    const cancel = this.#timers.set(this.#options.stopMs ?? 2_500, () => this.#cutOff.abort(stopping))
    await this.#beat
    await Promise.allSettled(this.#inHand.values())
    cancel()
  }

  /**
   * Carries a saga out as far as it goes now, or waits for this runner's own hand that does; what another process has in
   * hand is left to it. Answers what is recorded afterwards.
   *
   * @throws what the store throws
   */
  async run(id: string): Promise<SagaRecord | undefined> {
    const taken = await this.#options.store.take({ id }, this.#clock.now(), this.#holdMs)
    await (taken ? this.#held(taken) : this.#inHand.get(id))
    return this.#options.store.get(id)
  }

  get #holdMs(): number {
    return this.#stepMs * 2
  }

  async #carryOutDue(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      if (this.#inHand.size >= (this.#options.atOnce ?? 8)) await Promise.race(this.#inHand.values())
      const taken = await this.#options.store.take('due', this.#clock.now(), this.#holdMs)
      if (!taken) return
      this.#held(taken).catch((error: unknown) => this.#options.onTrouble?.(error))
    }
  }

  /** Known to be in hand until it has ended. */
  #held(taken: TakenSaga): Promise<void> {
    const { id } = taken.record
    const work = this.#carryOut(taken).finally(() => this.#inHand.delete(id))
    this.#inHand.set(id, work)
    return work
  }

  async #carryOut(taken: TakenSaga): Promise<void> {
    const { store, onSaved, onTrouble } = this.#options
    const declared = this.#sagas.get(taken.record.saga)
    if (!declared) {
      onTrouble?.(new MillraceError('settings.invalid', `No saga is called ${taken.record.saga}`))
      return
    }
    let hand = taken
    for (;;) {
      const progress = await this.#step(declared, hand.record)
      const goesOn =
        progress.failures === 0 &&
        (progress.state === 'running' || progress.state === 'undoing') &&
        !this.#ending.signal.aborted
      const until = goesOn ? this.#clock.now() + this.#holdMs : undefined
      if (!(await store.save(hand, progress, until))) return
      const record = { ...hand.record, ...progress }
      onSaved?.(record)
      if (!goesOn) return
      hand = { token: hand.token, record }
    }
  }

  async #step(declared: Saga<never>, record: SagaRecord): Promise<SagaProgress> {
    const undoing = record.state === 'undoing'
    const step = declared.steps[undoing ? record.done - 1 : record.done]
    const { error, ...rest } = progressOf(record)
    // Why it is taken back stays known.
    const before = { ...rest, ...(undoing && error ? { error } : {}) }
    if (!step) return { ...before, failures: 0, state: undoing ? 'undone' : 'done' }
    try {
      const answer = await this.#attempt(step, record, undoing)
      const done = record.done + (undoing ? -1 : 1)
      const results = undoing ? record.results : { ...record.results, [step.name]: answer ?? null }
      const ended = undoing ? done === 0 : done === declared.steps.length
      const state = ended ? (undoing ? 'undone' : 'done') : record.state
      return { ...before, failures: 0, state, done, results, dueMs: this.#clock.now() }
    } catch (error) {
      // A stop uses no attempt up: what it cut off, or left without those who are stopped with it, is for the next runner.
      if (this.#ending.signal.aborted && mayPass(error))
        return { ...progressOf(record), dueMs: this.#clock.now() }
      return this.#failed(step, record, error)
    }
  }

  async #attempt(step: Step<never>, record: SagaRecord, undoing: boolean): Promise<unknown> {
    const overdue = new AbortController()
    const cancel = this.#timers.set(this.#stepMs, () =>
      overdue.abort(new MillraceError('service.unavailable', `Step ${step.name} did not end in time`)),
    )
    const signal = AbortSignal.any([overdue.signal, this.#cutOff.signal])
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true }),
    )
    // Nobody may be waiting for it any more.
    aborted.catch(() => undefined)
    const context = {
      idempotencyKey: `${record.saga}:${record.id}:${step.name}${undoing ? ':undo' : ''}`,
      correlationId: record.correlationId,
      attempt: record.failures + 1,
      results: record.results,
      signal,
    }
    try {
      // What was recorded under this name was of this saga's type.
      const input = record.input as never
      const act = undoing ? step.undo?.(input, context) : step.run(input, context)
      return await Promise.race([act, aborted])
    } finally {
      cancel()
    }
  }

  #failed(step: Step<never>, record: SagaRecord, failure: unknown): SagaProgress {
    const now = this.#clock.now()
    const failures = record.failures + 1
    const code = failure instanceof MillraceError ? failure.code : 'internal'
    const message = failure instanceof Error ? failure.message : String(failure)
    const before = { ...progressOf(record), error: { code, message, step: step.name } }
    if (mayPass(failure) && failures < (this.#options.attempts ?? 20)) {
      const pause = this.#options.retry ?? { firstMs: 1_000, maxMs: 300_000 }
      const wish = retryAfterOf(failure, now)
      return { ...before, failures, dueMs: now + backoffMs(pause, failures, this.#options.random?.(), wish) }
    }
    // What cannot be taken back needs somebody, whatever the step would have.
    if (record.state === 'undoing' || step.whenFailed === 'needs-attention')
      return { ...before, failures, state: 'needs-attention', dueMs: now }
    return { ...before, failures: 0, state: record.done === 0 ? 'undone' : 'undoing', dueMs: now }
  }
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new MillraceError('service.unavailable', String(reason))
}

const stopping = new MillraceError('service.unavailable', 'The service is stopping')

function progressOf({ state, done, results, failures, error, dueMs }: SagaRecord): SagaProgress {
  return { state, done, results, failures, dueMs, ...(error ? { error } : {}) }
}
