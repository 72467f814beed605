import { MillraceError } from '@millrace/event'
import { backoffMs } from '../backoff.ts'
import type { EffectChange, EffectToRecord, RecordedEffect } from '../effect-ledger.ts'
import type { EngineLease } from './engine-lease.ts'
import type { EngineSettings } from './engine-settings.ts'
import { Occasion } from './occasion.ts'
import { sleep } from './sleep.ts'

const retry = { firstMs: 50, maxMs: 2_000 }
const mostChanges = 500

/** What an effect runner tells the engine that it works for. */
export interface EffectOwner {
  moved(): void
  lost(): void
  failed(error: unknown): void
}

interface Waiting extends EffectToRecord {
  readonly turn: number
  attempt: number
}

/**
 * Carries out what commits have recorded: at least once, those of a key one after the other, and says so in the
 * ledger under the token.
 */
export class EffectRunner {
  readonly #settings: EngineSettings
  readonly #lease: EngineLease
  readonly #owner: EffectOwner
  readonly #ending = new AbortController()
  /** What waits for a place, by key. The first one is under way, or waits for its next attempt. */
  readonly #keys = new Map<string, Waiting[]>()
  readonly #queue: string[] = []
  readonly #changes: EffectChange[] = []
  #waiting = 0
  #running = 0
  #quiet = false
  #confirming: Promise<void> | undefined
  readonly #settledAll = new Occasion()

  constructor(settings: EngineSettings, lease: EngineLease, owner: EffectOwner) {
    this.#settings = settings
    this.#lease = lease
    this.#owner = owner
  }

  /** Effects that are not confirmed, as far as is known here. */
  get waiting(): number {
    return this.#waiting
  }

  /** Takes over what earlier owners have left; nothing is to be added before it has ended. */
  async start(): Promise<void> {
    const { store, effectsWaiting, random, timers, tell } = this.#settings
    let after: string | undefined
    for (let failures = 0; !this.#ending.signal.aborted;) {
      const options = { limit: Math.min(500, effectsWaiting), ...(after === undefined ? {} : { after }) }
      try {
        const { items, next } = await store.pendingEffects(this.#lease.at, options)
        for (const effect of items) this.#take(effect, effect.turn)
        if (next === undefined) break
        after = next
        failures = 0
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) {
          this.#owner.failed(error)
          return
        }
        tell({ kind: 'trouble', partition: this.#lease.at.partition, error })
        failures += 1
        await sleep(timers, backoffMs(retry, failures, random()), this.#ending.signal)
      }
    }
    this.#pump()
  }

  /** A commit has recorded them. */
  add(effects: readonly EffectToRecord[]): void {
    for (const effect of effects) this.#take(effect, 0)
    this.#pump()
  }

  /** Begins no more of them. */
  quiet(): void {
    this.#quiet = true
  }

  /** Resolves when none is under way and everything that is known is confirmed. */
  async settled(): Promise<void> {
    while (this.#running > 0 && !this.#ending.signal.aborted) await this.#settledAll.next()
    while (this.#confirming && !this.#ending.signal.aborted) await this.#confirming
  }

  end(): void {
    this.#ending.abort()
    this.#settledAll.call()
  }

  #take(effect: EffectToRecord | RecordedEffect, turn: number): void {
    this.#waiting += 1
    const line = this.#keys.get(effect.key)
    const waiting: Waiting = { ...effect, turn, attempt: 1 }
    if (line) line.push(waiting)
    else {
      this.#keys.set(effect.key, [waiting])
      this.#queue.push(effect.key)
    }
  }

  #pump(): void {
    while (this.#running < this.#settings.effectsAtOnce && !this.#quiet && !this.#ending.signal.aborted) {
      const key = this.#queue.shift()
      const effect = key === undefined ? undefined : this.#keys.get(key)?.[0]
      if (effect === undefined) return
      this.#running += 1
      void this.#carryOut(effect)
    }
  }

  async #carryOut(effect: Waiting): Promise<void> {
    let failure: { readonly error: unknown } | undefined
    try {
      await this.#attempt(effect)
    } catch (error) {
      failure = { error }
    }
    this.#running -= 1
    if (this.#running === 0) this.#settledAll.call()
    if (this.#ending.signal.aborted) return
    if (failure === undefined) this.#ended(effect, 'confirmed')
    else this.#failed(effect, failure.error)
    this.#pump()
  }

  async #attempt(effect: Waiting): Promise<void> {
    const { processor, effectTimeoutMs, timers } = this.#settings
    const { name, key, idempotencyKey, attempt, correlationId, causationId } = effect
    const definition = processor.effects.get(name)
    if (definition === undefined)
      throw new MillraceError('effect.unknown', `Processor ${processor.name} lists no effect "${name}"`)
    if (this.#lease.lapsed)
      throw new MillraceError('lease.fenced', 'The lease may have been taken over by another member')
    const late = new AbortController()
    const signal = AbortSignal.any([late.signal, this.#ending.signal])
    const { promise, reject } = Promise.withResolvers<never>()
    const error = new MillraceError('handler.timeout', `Effect ${name} took more than ${effectTimeoutMs} ms`)
    const cancel = Number.isFinite(effectTimeoutMs)
      ? timers.set(effectTimeoutMs, () => {
          late.abort()
          reject(error)
        })
      : () => undefined
    try {
      const context = { key, idempotencyKey, attempt, correlationId, causationId, signal }
      // The payload is what the definition's schema let through when it was recorded.
      const run = definition.run as (payload: unknown, given: typeof context) => Promise<void> | void
      await Promise.race([run(JSON.parse(effect.payload), context), promise])
    } finally {
      cancel()
    }
  }

  #failed(effect: Waiting, error: unknown): void {
    const { effectAttempts, effectRetry, kindOf, random, timers, tell } = this.#settings
    const kind = this.#lease.lapsed || isUnknown(error) ? 'wait' : kindOf(error)
    const { key, name, idempotencyKey, attempt } = effect
    const spent = kind === 'retry' && attempt >= effectAttempts
    if (kind === 'permanent' || spent) {
      tell({ kind: 'effect-dead', partition: this.#lease.at.partition, key, name, idempotencyKey, error })
      this.#ended(effect, 'dead', { attempts: attempt, message: messageOf(error) })
      return
    }
    effect.attempt += 1
    const delayMs = backoffMs(effectRetry, attempt, random())
    tell({
      kind: 'effect-retry',
      partition: this.#lease.at.partition,
      key,
      name,
      idempotencyKey,
      attempts: attempt,
      delayMs,
      error,
    })
    void sleep(timers, delayMs, this.#ending.signal).then(() => {
      this.#queue.push(key)
      this.#pump()
    })
  }

  /** The next of its key may begin: the confirmation follows, and a crash before it repeats both in order. */
  #ended({ key, idempotencyKey, turn }: Waiting, to: 'confirmed' | 'dead', note?: unknown): void {
    const line = this.#keys.get(key)
    line?.shift()
    if (line === undefined || line.length === 0) this.#keys.delete(key)
    else this.#queue.push(key)
    this.#changes.push({ idempotencyKey, turn, to, ...(note === undefined ? {} : { note }) })
    this.#confirm()
  }

  #confirm(): void {
    if (this.#confirming || this.#ending.signal.aborted) return
    this.#confirming = this.#confirmAll().finally(() => {
      this.#confirming = undefined
      if (this.#changes.length > 0) this.#confirm()
    })
  }

  async #confirmAll(): Promise<void> {
    const { store, random, timers, tell } = this.#settings
    for (let failures = 0; this.#changes.length > 0 && !this.#ending.signal.aborted;) {
      const part = this.#changes.slice(0, mostChanges)
      try {
        const results = await store.confirmEffects(this.#lease.at, this.#lease.token, part)
        if (results === 'fenced') {
          this.#owner.lost()
          return
        }
        this.#changes.splice(0, part.length)
        this.#waiting -= part.length
        failures = 0
        this.#owner.moved()
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) {
          this.#owner.failed(error)
          return
        }
        tell({ kind: 'trouble', partition: this.#lease.at.partition, error })
        failures += 1
        await sleep(timers, backoffMs(retry, failures, random()), this.#ending.signal)
      }
    }
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'effect.unknown'
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 1_000)
}
