import { MillraceError } from '@millrace/event'
import { backoffMs, retryAfterOf } from '@millrace/retry'
import type { EffectToRecord, RecordedEffect } from '../effect-ledger.ts'
import type { EffectBreaker, EffectBreakerHealth } from './effect-breaker.ts'
import { breakersOf } from './effect-breakers.ts'
import { attemptEffect } from './effect-attempt.ts'
import { EffectConfirmer } from './effect-confirmer.ts'
import { effectEnded } from './effect-fact.ts'
import { effectFailureOf } from './effect-failure.ts'
import { EffectQueues } from './effect-queues.ts'
import type { EngineLease } from './engine-lease.ts'
import type { EngineSettings } from './engine-settings.ts'
import { Occasion } from './occasion.ts'
import { RequeuedEffects } from './requeued-effects.ts'
import { sleep } from './sleep.ts'
import { toldAbout } from './told-about.ts'
import { tracedEffect } from './traced-effect.ts'
import { deathOf, noteFailure, noteOfFailed, type WaitingEffect, waitingOf } from './waiting-effect.ts'

const retry = { firstMs: 50, maxMs: 2_000 }

/** What an effect runner tells the engine that it works for. */
export interface EffectOwner {
  moved(): void
  lost(): void
  failed(error: unknown): void
}

/**
 * Carries out what commits have recorded: at least once, those of a key one after the other, and says so in the
 * ledger under the token. Each effect has a line of its own behind its breaker: where one is away, the others go on.
 */
export class EffectRunner {
  readonly #settings: EngineSettings
  readonly #lease: EngineLease
  readonly #owner: EffectOwner
  readonly #ending = new AbortController()
  /** What waits for a place, by key. The first one is under way, or waits for its next attempt. */
  readonly #keys = new Map<string, WaitingEffect[]>()
  readonly #queues: EffectQueues
  readonly #confirmer: EffectConfirmer
  readonly #requeued: RequeuedEffects
  #running = 0
  #quiet = false
  #places = 0
  #full = false
  #pumping = false
  readonly #settledAll = new Occasion()

  constructor(settings: EngineSettings, lease: EngineLease, owner: EffectOwner) {
    this.#settings = settings
    this.#lease = lease
    this.#owner = owner
    this.#confirmer = new EffectConfirmer(settings, lease, this.#ending.signal, {
      confirmed: (changed) => {
        for (const { name, change } of changed) {
          if (change.to === 'pending') continue
          this.#count(name, -1)
          this.#requeued.settled(change.idempotencyKey)
        }
        owner.moved()
      },
      lost: () => owner.lost(),
      failed: (error) => owner.failed(error),
    })
    this.#queues = new EffectQueues(breakersOf(settings), () => this.#pump())
    this.#requeued = new RequeuedEffects(settings, lease.at, this.#ending.signal, {
      room: () => !this.#quiet && !this.#full,
      take: (effect) => this.#putBack(effect),
      failed: (error) => owner.failed(error),
    })
  }

  /** Effects that are not confirmed, as far as is known here. */
  get waiting(): number {
    return this.#queues.waiting
  }

  /** So many wait that the partition takes nothing in. */
  get full(): boolean {
    return this.#full
  }

  /** The breakers before them that are not closed. */
  get away(): readonly EffectBreakerHealth[] {
    return this.#queues.away
  }

  /** So many wait that the partition takes nothing in, because the outside is away: no stall of ours. */
  get heldUp(): boolean {
    return this.#full && this.away.length > 0
  }

  /** Takes over what earlier owners have left; nothing is to be added before it has ended. */
  async start(): Promise<void> {
    const { store, effectsWaiting, random, timers, tell } = this.#settings
    let after: string | undefined
    for (let failures = 0; !this.#ending.signal.aborted;) {
      const options = { limit: Math.min(500, effectsWaiting), ...(after === undefined ? {} : { after }) }
      try {
        const { items, next } = await store.pendingEffects(this.#lease.at, options)
        for (const effect of items) {
          this.#requeued.knows(effect)
          this.#take(effect, effect.turn)
        }
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
    this.#requeued.start()
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
    await this.#confirmer.settled()
  }

  end(): void {
    if (this.#ending.signal.aborted) return
    this.#ending.abort()
    this.#queues.end()
    this.#settledAll.call()
  }

  #take(effect: EffectToRecord | RecordedEffect, turn: number): void {
    this.#count(effect.name, 1)
    const line = this.#keys.get(effect.key)
    const waiting = waitingOf(effect, turn, (this.#places += 1))
    if (line) line.push(waiting)
    else {
      this.#keys.set(effect.key, [waiting])
      this.#queues.add(waiting)
    }
  }

  /** It comes before those of its key that were recorded later, but for one that is under way. */
  #putBack(effect: RecordedEffect): void {
    const line = this.#keys.get(effect.key)
    const first = line?.[0]
    if (line === undefined || first === undefined) this.#take(effect, effect.turn)
    else {
      this.#count(effect.name, 1)
      const waiting = waitingOf(effect, effect.turn, (this.#places += 1))
      const earlier = line.findLastIndex(({ no = Infinity, busy }) => busy || no < effect.no)
      line.splice(earlier + 1, 0, waiting)
      if (earlier < 0) {
        this.#queues.withdraw(first)
        this.#queues.add(waiting)
      }
    }
    this.#pump()
  }

  #count(name: string, more: number): void {
    this.#queues.count(name, more)
    const full = this.waiting > this.#settings.effectsWaiting
    if (full === this.#full) return
    this.#full = full
    const kind = full ? 'effects-full' : 'effects-flowing'
    this.#settings.tell({ kind, partition: this.#lease.at.partition, waiting: this.waiting })
  }

  #pump(): void {
    // Asked for again from within, when a breaker says that there is room.
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#running < this.#settings.effectsAtOnce && !this.#quiet && !this.#ending.signal.aborted) {
        const next = this.#queues.next()
        if (next === undefined) return
        const effect = this.#keys.get(next.key)?.[0]
        if (effect === undefined) throw new TypeError('Bug: a key in line without an effect')
        this.#running += 1
        effect.busy = true
        effect.begunMs = this.#settings.clock.now()
        void this.#carryOut(effect, next.breaker)
      }
    } finally {
      this.#pumping = false
    }
  }

  async #carryOut(effect: WaitingEffect, breaker: EffectBreaker): Promise<void> {
    const { kindOf } = this.#settings
    let failure: { readonly error: unknown } | undefined
    try {
      await breaker.attempt(
        effect.idempotencyKey,
        () =>
          tracedEffect(this.#lease.at, effect, () =>
            attemptEffect(this.#settings, this.#lease, effect, this.#ending.signal),
          ),
        (error) => effectFailureOf(error, this.#lease.lapsed ? 'wait' : kindOf(error)),
      )
    } catch (error) {
      failure = { error }
    }
    this.#running -= 1
    if (this.#running === 0) this.#settledAll.call()
    if (this.#ending.signal.aborted) return
    // A partition that waits for its effects has no other sign of life.
    if (this.#full) this.#owner.moved()
    if (failure === undefined) this.#ended(effect, 'confirmed')
    else this.#failed(effect, breaker, failure.error)
    this.#pump()
  }

  #failed(effect: WaitingEffect, breaker: EffectBreaker, error: unknown): void {
    const { effectAttempts, effectRetry, kindOf, random, clock, member, tell } = this.#settings
    const nowMs = clock.now()
    const failure = this.#lease.lapsed ? 'dropped' : effectFailureOf(error, kindOf(error))
    // What failed because the other end is away costs nothing.
    const counts = failure === 'failed' && breaker.state === 'closed'
    const { key, name, idempotencyKey, attempt } = effect
    if (failure !== 'dropped') noteFailure(effect, error, { member, nowMs })
    if (failure === 'answered' || (counts && attempt >= effectAttempts)) {
      const { partition } = this.#lease.at
      toldAbout(effect, () => tell({ kind: 'effect-dead', partition, key, name, idempotencyKey, error }))
      this.#ended(effect, 'dead', deathOf(effect, error, nowMs))
      return
    }
    if (counts) {
      this.#noteCounted(effect)
      effect.attempt += 1
    }
    effect.failures += 1
    const pauseMs = backoffMs(effectRetry, effect.failures, random())
    if (breaker.state === 'closed')
      this.#again(effect, error, Math.max(pauseMs, retryAfterOf(error, nowMs) ?? 0))
    // The breaker has the pauses now.
    else this.#queue(effect)
  }

  /** The next owner counts on from here. Written with confirmations; nothing waits for it. */
  #noteCounted(effect: WaitingEffect): void {
    const { name, idempotencyKey, turn } = effect
    effect.turn += 1
    this.#requeued.changes(idempotencyKey, effect.turn)
    this.#confirmer.add(name, { idempotencyKey, turn, to: 'pending', note: noteOfFailed(effect) })
  }

  /** It waits in its line again. */
  #queue(effect: WaitingEffect): void {
    effect.busy = false
    this.#queues.add(effect)
  }

  #again(effect: WaitingEffect, error: unknown, delayMs: number): void {
    const { timers, tell } = this.#settings
    const { key, name, idempotencyKey, attempt } = effect
    const { partition } = this.#lease.at
    const one = { partition, key, name, idempotencyKey, error }
    toldAbout(effect, () => tell({ kind: 'effect-retry', ...one, attempts: attempt, delayMs }))
    void sleep(timers, delayMs, this.#ending.signal).then(() => {
      if (this.#ending.signal.aborted) return
      this.#queue(effect)
      this.#pump()
    })
  }

  /** The next of its key may begin: the confirmation follows, and a crash before it repeats both in order. */
  #ended(effect: WaitingEffect, to: 'confirmed' | 'dead', note?: unknown): void {
    const { key, name, idempotencyKey, turn } = effect
    const fact = effectEnded(this.#settings, effect, to)
    const line = this.#keys.get(key)
    line?.shift()
    const next = line?.[0]
    if (next === undefined) this.#keys.delete(key)
    else this.#queues.add(next)
    const told = { ...(note === undefined ? {} : { note }), ...(fact === undefined ? {} : { fact }) }
    this.#confirmer.add(name, { idempotencyKey, turn, to, ...told })
  }
}
