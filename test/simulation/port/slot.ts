import type { DeadLetter } from '@millrace/processor'
import type { DeferredEvent } from '@millrace/processor'
import type { StoredKey } from '@millrace/processor'
import type { KeyTimer } from '@millrace/processor'
import type { Park } from '@millrace/processor'
import { type Asking, type Folded, folded, foldedFiring, nothingFolded } from '../act.ts'

/** What no rule of the store looks at. */
export const unexplained = { why: 'retry', tries: [], fingerprint: '' } as const

/** Head and line of a parked key, in a member's hand. */
interface Line {
  readonly events: readonly Asking[]
  /** Attempts that the head has cost. */
  readonly attempts: number
}

/** What a commit says of an attempt on a head. */
type Tried = Pick<Park, 'tried' | 'markMs'>

/** What a turn brings about beside the state, in the order in which it came. */
export interface Outcomes {
  readonly dead: DeadLetter[]
  readonly emits: { readonly key: string; readonly cause: string }[]
  readonly effects: { readonly id: string; readonly key: string; readonly seq: number }[]
  readonly timers: Map<string, KeyTimer>
  done: number
}

/**
 * One key in the hand of a member: what it has read of it, and what it has made of it since. The same rules as an
 * engine's: events in order, a head that failed holds the key, deferred events are offered again when it goes on.
 */
export class Slot {
  readonly key: string
  /** As it is stored. */
  readonly stored: StoredKey
  state: Folded
  seq: number
  line: Line | undefined
  deferred: readonly DeferredEvent[]
  readonly #waiting: Map<number, Asking>
  #tried: Tried | undefined

  /**
   * @param line Head and line as they lie on the log, when the key is parked.
   * @param waiting The deferred events as they lie on the log.
   */
  constructor(stored: StoredKey, line: readonly Asking[], waiting: readonly Asking[]) {
    this.key = stored.key
    this.stored = stored
    this.state = stored.state ? (JSON.parse(stored.state.state) as Folded) : nothingFolded
    this.seq = stored.state?.seq ?? 0
    this.line = stored.parked && { events: line, attempts: stored.parked.note.attempts }
    this.deferred = stored.deferred
    this.#waiting = new Map(waiting.map((asking) => [asking.seq, asking]))
  }

  /** What is stored has an event already: whoever is about to handle it has lost the lease and does not know it yet. */
  knows(seq: number): boolean {
    const { state, parked, deferred } = this.stored
    return Math.max(state?.seq ?? 0, parked?.last ?? 0, deferred.at(-1)?.seq ?? 0) >= seq
  }

  /** Takes the next event of the key. */
  take(asking: Asking, out: Outcomes, nowMs: number): void {
    if (this.line) this.line = { ...this.line, events: [...this.line.events, asking] }
    else if (!this.#handle(asking, 0, out, nowMs)) this.line = { events: [asking], attempts: 1 }
  }

  /**
   * Tries the head again, and what is in line behind it, until one fails or so many were handled.
   *
   * @param markMs When the mark was set that it answers, if there was one.
   */
  retry(most: number, out: Outcomes, nowMs: number, markMs?: number): void {
    this.#tried = { tried: true, ...(markMs === undefined ? {} : { markMs }) }
    for (let left = most; this.line && left > 0; left--) {
      const [head, ...rest] = this.line.events
      if (!head) throw new TypeError('A line without a head')
      if (!this.#handle(head, this.line.attempts, out, nowMs)) {
        this.line = { events: this.line.events, attempts: this.line.attempts + 1 }
        return
      }
      this.line = rest.length > 0 ? { events: rest, attempts: 0 } : undefined
    }
  }

  fire({ dueMs }: KeyTimer, out: Outcomes): void {
    this.state = foldedFiring(this.state, dueMs)
    out.emits.push({ key: this.key, cause: `w${dueMs}` })
  }

  /** The park record after the turn; `undefined` when the key is not parked. */
  get park(): Park | undefined {
    const head = this.line?.events[0]
    const last = this.line?.events.at(-1)
    if (!this.line || !head || !last) return undefined
    return {
      key: this.key,
      head: head.seq,
      last: last.seq,
      lined: this.line.events.length - 1,
      ...this.#tried,
      note: {
        ...unexplained,
        why: this.line.attempts > 2 ? 'operator' : 'retry',
        id: head.id,
        type: head.event.type,
        eventId: head.event.id,
        attempts: this.line.attempts,
        reason: 'internal',
        message: 'not yet',
        sinceMs: 0,
      },
    }
  }

  /** Answers whether the event is settled: handled, deferred or dead. */
  #handle(asking: Asking, attempts: number, out: Outcomes, nowMs: number): boolean {
    const { act, seq, id, event } = asking
    if (act.do === 'fail' && attempts < act.times) return false
    if (act.do === 'dead') {
      const reason = { reason: 'internal', message: 'never', attempts: 1, atMs: nowMs }
      out.dead.push({ id, seq, key: this.key, type: event.type, eventId: event.id, ...reason })
      return true
    }
    if (act.do === 'wait' && !this.state.allowed) {
      const why = { why: 'not allowed yet', sinceMs: nowMs }
      this.deferred = [...this.deferred, { seq, id, type: event.type, eventId: event.id, ...why }]
      this.#waiting.set(seq, asking)
      return true
    }
    this.#done(asking, out)
    if (!this.state.allowed) return true
    for (const { seq: former } of this.deferred) {
      const waiting = this.#waiting.get(former)
      if (!waiting) throw new TypeError(`Deferred event ${former} is not at hand`)
      this.#done(waiting, out)
    }
    if (this.deferred.length > 0) this.deferred = []
    return true
  }

  #done(asking: Asking, out: Outcomes): void {
    const { act, seq, event } = asking
    this.state = folded(this.state, asking)
    this.seq = Math.max(this.seq, seq)
    out.done += 1
    if (act.do === 'emit') out.emits.push({ key: this.key, cause: String(seq) })
    if (act.do === 'effect') out.effects.push({ id: act.id, key: this.key, seq })
    if (act.do === 'timer') {
      const dueMs = Date.parse(event.time) + act.afterMs
      out.timers.set(this.key, { key: this.key, name: 'w', dueMs })
    }
  }
}
