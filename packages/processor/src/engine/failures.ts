import { MillraceError, workTraced } from '@millrace/event'
import { backoffMs, retryAfterOf } from '@millrace/retry'
import { cut } from '../failure-facts.ts'
import { type FailureKind, kindOfTouch } from '../failure-kind.ts'
import type { Delivery } from '../lane/delivery.ts'
import { tellAttempt } from '../lane/delivery-trace.ts'
import { mostTries, type ParkTry } from '../parked-key.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import type { Later } from './later.ts'
import { scopeOfRecord, toldAbout } from './told-about.ts'
import { noteAttempt } from './told-facts.ts'

/** The longest pause of a retry that is made in memory, with the key's events in hand, in ms. */
const longestQuickMs = 250
/** A pause of a quick retry: the partition goes on reading for as long, and its window is to have room for that. */
const quickPauseMs = 10

/** How a key is to be parked. */
export interface HoldPlan {
  /** Attempts that the head has cost. */
  readonly attempts: number
  /** When it is tried again, in ms since the epoch; undefined: it waits for an operator. */
  readonly dueMs: number | undefined
  /** Its attempts have run out. */
  readonly spent: boolean
}

/** What failures ask of the engine that they are in. */
export interface FailuresOwner {
  /** The processor asks to begin again from where the store stands. */
  restart(error: unknown): void
  /** The pipeline itself is at fault: it may have let events through. */
  broken(error: unknown): void
  /** Something has changed: a key can go on, or does not any more. */
  changed(): void
}

/**
 * Decides what becomes of a key when a delivery of it has failed: again at once, parked until its next attempt or for an
 * operator, or on without the one that failed. See docs/state-machines.md.
 */
export class Failures {
  readonly #settings: EngineSettings
  readonly #partition: number
  readonly #lanes: KeyLanes
  readonly #later: Later
  readonly #owner: FailuresOwner

  constructor(
    settings: EngineSettings,
    partition: number,
    parts: { readonly lanes: KeyLanes; readonly later: Later },
    owner: FailuresOwner,
  ) {
    this.#settings = settings
    this.#partition = partition
    this.#lanes = parts.lanes
    this.#later = parts.later
    this.#owner = owner
  }

  /** A delivery has failed, and everything unsettled of its key waits again. */
  take(slot: KeySlot, delivery: Delivery | undefined, error: unknown): void {
    const kind = kindOfTouch(error) ?? this.#settings.kindOf(error)
    if (delivery !== undefined && kind !== 'restart' && workTraced())
      tellAttempt(this.#settings.processor, delivery, { error, tookMs: slot.tookMs })
    if (kind === 'restart') this.#owner.restart(error)
    else if (delivery === undefined) this.#owner.broken(error)
    else if (delivery.origin === 'deferred') this.#leaveOut(slot, delivery, error, kind)
    else {
      this.#note(slot, delivery, error)
      if (delivery.origin === 'late' && kind !== 'permanent') this.#againLate(slot, delivery, error, kind)
      else if (kind === 'wait') this.#wait(slot, delivery, error)
      else if (kind === 'permanent') this.#giveUp(slot, delivery, error, false)
      else this.#again(slot, delivery, error)
      this.#owner.changed()
    }
  }

  /** What a key begins with could not be found out. */
  untouched(slot: KeySlot, error: unknown): void {
    const { first } = slot.waiting
    if (first !== undefined) this.take(slot, first, error)
    else this.#later.after(this.#delayMs(error, 1), () => this.#lanes.beat(slot))
  }

  restart(error: unknown): void {
    this.#owner.restart(error)
  }

  /** Something keeps the others waiting: its key is parked, due at once, without an attempt counted. */
  setAside(slot: KeySlot, error: unknown): void {
    const head = slot.lane?.unsettled[0]
    if (head === undefined) return
    this.#park(slot, error, { attempts: head.attempt - 1, dueMs: this.#settings.clock.now(), spent: false })
    this.#owner.changed()
  }

  /** An event has come for a key whose timer cannot be fired: it is parked behind it. */
  parkStuck(slot: KeySlot): void {
    const { stuck } = slot
    if (stuck === undefined) return
    slot.stuck = undefined
    this.#park(slot, stuck.error, stuck.plan)
  }

  /** The attempt that has just failed. */
  #tried(slot: KeySlot, delivery: Delivery, error: unknown): ParkTry {
    const { clock, member } = this.#settings
    const tookMs = Math.round(slot.tookMs)
    slot.tookMs = 0
    const failed: ParkTry = { atMs: clock.now() - tookMs, tookMs, member, error: inWords(error) }
    noteAttempt(slot, delivery, failed)
    return failed
  }

  #note(slot: KeySlot, delivery: Delivery, error: unknown): void {
    const failed = this.#tried(slot, delivery, error)
    slot.tries = [...slot.tries, failed].slice(-mostTries)
    slot.failures += 1
    if (slot.failures === 1) slot.firstFailedMs = failed.atMs
  }

  /** An offer has failed: the key goes on without it for a while, or for good. */
  #leaveOut(slot: KeySlot, delivery: Delivery, error: unknown, kind: FailureKind): void {
    this.#tried(slot, delivery, error)
    const spent = kind === 'retry' && delivery.attempt >= this.#settings.attempts
    const given = kind === 'permanent' || spent
    const delayMs = given ? 0 : this.#delayMs(error, delivery.attempt)
    slot.offers?.failed(delivery, {
      ...(given ? { fate: { outcome: 'dead', error, spent } } : {}),
      // Timers of machines are early at times.
      notBeforeMs: this.#settings.elapsedMs() + delayMs - 2,
      counts: kind === 'retry',
    })
    slot.phase = 'open'
    if (slot.waiting.length > 0) this.#lanes.wake(slot)
    this.#later.after(delayMs, () => {
      this.#lanes.beat(slot)
      this.#owner.changed()
    })
    this.#owner.changed()
  }

  /** Nothing was tried: again after a pause, and no attempt is counted. */
  #wait(slot: KeySlot, delivery: Delivery, error: unknown): void {
    const { gate } = this.#settings
    const counted = this.#attempts(slot, delivery) - 1
    const delayMs = this.#delayMs(error, slot.failures)
    // Behind a closed gate nobody goes on anyway.
    const shut = gate !== undefined && !gate.open
    if (shut || this.#quick(slot)) this.#backOff(slot, delivery, error, counted, delayMs)
    else this.#hold(slot, delivery, error, { attempts: counted, delayMs, spent: false })
  }

  #again(slot: KeySlot, delivery: Delivery, error: unknown): void {
    const { attempts: most } = this.#settings
    const attempts = this.#attempts(slot, delivery)
    if (attempts >= most) {
      this.#giveUp(slot, delivery, error, true)
      return
    }
    const delayMs = this.#delayMs(error, attempts)
    const quickMs = Math.min(delayMs, quickPauseMs)
    if (this.#quick(slot) && delayMs <= longestQuickMs)
      this.#backOff(slot, delivery, error, attempts, quickMs)
    else this.#hold(slot, delivery, error, { attempts, delayMs, spent: false })
  }

  /** A letter that was put back: nothing is behind it that could line up, and its key goes on until its next attempt. */
  #againLate(slot: KeySlot, delivery: Delivery, error: unknown, kind: FailureKind): void {
    const { lateRetries, fates } = this.#lanes
    const seq = delivery.recorded?.position.seq ?? 0
    const { attempts: most, elapsedMs, tell } = this.#settings
    if (kind === 'retry' && delivery.attempt >= most) {
      this.#giveUp(slot, delivery, error, true)
      return
    }
    const attempts = kind === 'retry' ? delivery.attempt : delivery.attempt - 1
    const tries = lateRetries.triesOf(seq, slot.tries)
    const delayMs = this.#delayMs(error, tries.length)
    fates.delete(delivery)
    slot.waiting.putBack(slot.waiting.drain().filter((one) => one !== delivery))
    slot.failures = 0
    slot.tries = []
    slot.phase = 'open'
    if (slot.waiting.length > 0) this.#lanes.wake(slot)
    const partition = this.#partition
    toldAbout(delivery, () => tell({ kind: 'retry', partition, seq, attempts, delayMs, error }))
    // Timers of machines are early at times.
    lateRetries.putOff(seq, { attempts, tries, notBeforeMs: elapsedMs() + delayMs - 2 }, delayMs)
  }

  #giveUp(slot: KeySlot, delivery: Delivery, error: unknown, spent: boolean): void {
    const late = delivery.origin === 'late'
    const skip = late || this.#settings.processor.onExhausted === 'skip-event'
    if (skip && delivery.timer === undefined) {
      const { lateRetries, fates } = this.#lanes
      const tries = late ? lateRetries.triesOf(delivery.recorded?.position.seq ?? 0, slot.tries) : slot.tries
      fates.set(delivery, { outcome: 'dead', error, spent, tries })
      slot.phase = 'open'
      this.#lanes.wake(slot)
      return
    }
    const first = slot.waiting.firstEvent
    if (first !== undefined && first !== delivery && delivery.timer === undefined) {
      // Those before it have only been handled with it: they go first.
      this.#lanes.fates.set(delivery, { outcome: 'hold', error })
      slot.phase = 'open'
      this.#lanes.wake(slot)
      return
    }
    const attempts = this.#attempts(slot, delivery)
    this.#hold(slot, delivery, error, { attempts, delayMs: undefined, spent })
  }

  /** Parks the key; when only a timer waits, which holds nobody up, it stays in memory until an event comes. */
  #hold(
    slot: KeySlot,
    delivery: Delivery,
    error: unknown,
    { attempts, delayMs, spent }: { attempts: number; delayMs: number | undefined; spent: boolean },
  ): void {
    const dueMs = delayMs === undefined ? undefined : this.#settings.clock.now() + delayMs
    const plan: HoldPlan = { attempts, dueMs, spent }
    if (this.#park(slot, error, plan)) return
    slot.stuck = { error, plan }
    if (delayMs === undefined) {
      slot.phase = 'backing-off'
      this.#tellParked(slot, error, undefined)
    } else this.#backOff(slot, delivery, error, attempts, delayMs)
  }

  #park(slot: KeySlot, error: unknown, plan: HoldPlan): boolean {
    this.#lanes.recall(slot)
    const first = slot.waiting.first?.timer
    const { tries, ruledMs } = slot
    const sinceMs = slot.failures > 0 ? slot.firstFailedMs : this.#settings.clock.now()
    const timer = first && { name: first.name, dueMs: first.dueMs }
    if (!this.#lanes.park(slot, { ...plan, error, tries, sinceMs, timer, ruledMs })) return false
    this.#tellParked(slot, error, plan.dueMs)
    return true
  }

  #tellParked(slot: KeySlot, error: unknown, dueMs: number | undefined): void {
    const { tell } = this.#settings
    const seq = slot.parked?.newest.seq ?? slot.seq
    const due = dueMs === undefined ? {} : { dueMs }
    const head = slot.parked?.newest
    const news = { kind: 'parked', partition: this.#partition, key: slot.key, seq, error, ...due } as const
    if (head === undefined) tell(news)
    else toldAbout(scopeOfRecord(head), () => tell(news))
  }

  #backOff(slot: KeySlot, delivery: Delivery, error: unknown, counted: number, delayMs: number): void {
    const head = slot.waiting.first ?? delivery
    head.attempt = delivery.attempt = counted + 1
    slot.phase = 'backing-off'
    const seq = delivery.recorded?.position.seq ?? slot.seq
    const { tell } = this.#settings
    const [partition, attempts] = [this.#partition, slot.failures]
    toldAbout(delivery, () => tell({ kind: 'retry', partition, seq, attempts, delayMs, error }))
    this.#later.after(delayMs, () => {
      if (slot.phase !== 'backing-off') return
      slot.phase = 'open'
      slot.stuck = undefined
      if (slot.waiting.length > 0) this.#lanes.wake(slot)
      this.#owner.changed()
    })
  }

  /** Attempts that the first unsettled delivery has cost: it was handled again with the one that has failed. */
  #attempts(slot: KeySlot, delivery: Delivery): number {
    return Math.max(delivery.attempt, slot.waiting.first?.attempt ?? 0)
  }

  #quick(slot: KeySlot): boolean {
    return slot.parked === undefined && slot.failures <= this.#settings.quickRetries
  }

  #delayMs(error: unknown, failures: number): number {
    const { retry, random, clock } = this.#settings
    return backoffMs(retry, failures, random(), retryAfterOf(error, clock.now()))
  }
}

function inWords(error: unknown): string {
  const code = error instanceof MillraceError ? `${error.code}: ` : ''
  return cut(code + (error instanceof Error ? error.message : String(error)), 300)
}
