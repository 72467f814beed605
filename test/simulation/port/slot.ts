import type { DeadLetter, HeededRuling, LateRun, MigratedKey, NotedFact, Ruling } from '@millrace/processor'
import { type DeferredEvent, isDropped, type KeyTimer, type Park, type StoredKey } from '@millrace/processor'
import { type Act, type Asking, type Folded, folded, foldedFiring, nothingFolded } from '../act.ts'

/** What no rule of the store looks at. */
export const unexplained = { tries: [], fingerprint: '' } as const

/** Head and line of a parked key, in a member's hand. */
interface Line {
  readonly events: readonly Asking[]
  /** Attempts that the head has cost. */
  readonly attempts: number
  /** When the ruling was made that the head was tried under. */
  readonly ruledMs?: number
}

/** What a member has read of a key beside its record. */
export interface KeyReading {
  /** Head and line as they lie on the log, when the key is parked. */
  readonly line: readonly Asking[]
  /** The deferred events as they lie on the log. */
  readonly waiting: readonly Asking[]
  readonly rulings: ReadonlyMap<number, Ruling>
  /** What the key begins with where it has no state: another system has said so. */
  readonly begins: Folded | undefined
  /** That is to be journalled. */
  readonly migration: MigratedKey | undefined
  /** A head that has failed so often is given up, and its key goes on. */
  readonly mostAttempts: number
}

/** What a turn brings about beside the state, in the order in which it came. */
export class Outcomes {
  readonly nowMs: number
  readonly member: string
  readonly dead: DeadLetter[] = []
  readonly emits: { readonly key: string; readonly cause: string }[] = []
  readonly effects: { readonly id: string; readonly key: string; readonly seq: number }[] = []
  readonly timers = new Map<string, KeyTimer>()
  readonly heeded: HeededRuling[] = []
  readonly late: number[] = []
  readonly lateRuns: LateRun[] = []
  readonly facts: NotedFact[] = []
  done = 0
  /** How many timers have fired. */
  fired = 0

  constructor(nowMs: number, member: string) {
    this.nowMs = nowMs
    this.member = member
  }
}

/**
 * One key in the hand of a member: what it has read of it, and what it has made of it since. The same rules as an
 * engine's: events in order, a head that failed holds the key, deferred events are offered again when it goes on, what
 * an operator has ruled is followed.
 */
export class Slot {
  readonly key: string
  /** As it is stored. */
  readonly stored: StoredKey
  readonly migration: MigratedKey | undefined
  state: Folded
  seq: number
  line: Line | undefined
  deferred: readonly DeferredEvent[]
  readonly #begins: Folded
  readonly #waiting: Map<number, Asking>
  readonly #rulings: ReadonlyMap<number, Ruling>
  readonly #mostAttempts: number
  /** Its record as it is stored; undefined when it was dropped, too. */
  readonly #record: StoredKey['state']
  #tried: Pick<Park, 'tried' | 'markMs'> | undefined
  #hasTimer: boolean

  constructor(stored: StoredKey, reading: KeyReading) {
    const { line, waiting, rulings, begins, migration, mostAttempts } = reading
    this.key = stored.key
    this.stored = stored
    this.migration = migration
    this.#begins = begins ?? nothingFolded
    this.#record = begun(stored)
    this.#hasTimer = (this.#record?.ops ?? '') !== ''
    this.state = this.#record ? (JSON.parse(this.#record.state) as Folded) : this.#begins
    this.seq = stored.state?.seq ?? 0
    const { parked } = stored
    this.line = parked && { ...parked.note, events: line }
    this.deferred = stored.deferred
    this.#waiting = new Map(waiting.map((asking) => [asking.seq, asking]))
    this.#rulings = rulings
    this.#mostAttempts = mostAttempts
  }

  /** What is stored has an event already: whoever is about to handle it has lost the lease and does not know it yet. */
  knows(seq: number): boolean {
    const { state, parked, deferred } = this.stored
    return Math.max(state?.seq ?? 0, parked?.last ?? 0, deferred.at(-1)?.seq ?? 0) >= seq
  }

  get hasChanged(): boolean {
    return JSON.stringify(this.state) !== (this.#record?.state ?? JSON.stringify(this.#begins))
  }

  /** It was parked, nobody has tried its head, and more has lined up. */
  get hasGrown(): boolean {
    return (
      this.stored.parked !== undefined && this.#tried === undefined && this.#lined > this.stored.parked.lined
    )
  }

  /** What the member remembers beside the state: which timer is set. */
  get ops(): string {
    return this.#hasTimer ? JSON.stringify({ w: { timer: {} } }) : ''
  }

  /** Takes the next event of the key. */
  take(asking: Asking, out: Outcomes): void {
    if (this.line) this.line = { ...this.line, events: [...this.line.events, asking] }
    else if (!this.#handle(asking, asking.act, 0, out)) this.line = { events: [asking], attempts: 1 }
  }

  /**
   * Tries the head again, and what is in line behind it, until one fails or so many were handled.
   *
   * @param markMs When the mark was set that it answers, if there was one.
   */
  retry(most: number, out: Outcomes, markMs?: number): void {
    this.#tried = { tried: true, ...(markMs === undefined ? {} : { markMs }) }
    for (let left = most; this.line && left > 0; left--) {
      const [head, ...rest] = this.line.events
      if (!head) throw new TypeError('A line without a head')
      const ruling = this.#rulings.get(head.seq)
      const { attempts, ruledMs = 0 } = this.line
      const before = ruling && ruling.atMs > ruledMs ? 0 : attempts
      const tried = { attempts: before + 1, ...(ruling ? { ruledMs: ruling.atMs } : { ruledMs }) }
      if (!this.#handle(head, actUnder(ruling, head.act), before, out)) {
        this.line = { events: this.line.events, ...tried }
        return
      }
      out.heeded.push({ seq: head.seq, id: ruling?.id, ...(ruling ? { ruling } : {}) })
      this.line = rest.length > 0 ? { events: rest, attempts: 0 } : undefined
    }
  }

  /** A dead letter that was put back: handled behind what the key has in hand, unless that is parked. */
  handleLate(asking: Asking, out: Outcomes): void {
    if (this.line) return
    const { seq } = asking
    const act = actUnder(this.#rulings.get(seq), asking.act)
    out.late.push(seq)
    if (act === 'ignored' || act.do === 'dead') {
      this.#bury(asking, out)
      return
    }
    out.lateRuns.push({ seq, afterSeq: Math.max(seq, this.seq), afterFirings: out.fired })
    this.#done(asking, act, out)
  }

  fire({ dueMs }: KeyTimer, out: Outcomes): void {
    this.state = foldedFiring(this.state, dueMs)
    this.#hasTimer = false
    out.fired += 1
    out.emits.push({ key: this.key, cause: `w${dueMs}` })
  }

  get #lined(): number {
    return Math.max(0, (this.line?.events.length ?? 0) - 1)
  }

  /** The park record after the turn; `undefined` when the key is not parked, or nothing of it is news. */
  get park(): Park | undefined {
    const head = this.line?.events[0]
    const last = this.line?.events.at(-1)
    const isNews = this.#tried !== undefined || this.stored.parked === undefined
    if (!this.line || !head || !last || !isNews) return undefined
    const { attempts, ruledMs } = this.line
    return {
      key: this.key,
      head: head.seq,
      last: last.seq,
      lined: this.#lined,
      ...this.#tried,
      note: {
        ...unexplained,
        why: attempts > 1 ? 'operator' : 'retry',
        id: head.id,
        type: head.event.type,
        eventId: head.event.id,
        attempts,
        reason: 'internal',
        message: 'not yet',
        sinceMs: 0,
        ...(ruledMs === undefined ? {} : { ruledMs }),
      },
    }
  }

  /** Answers whether the event is settled: handled, deferred or dead. */
  #handle(asking: Asking, act: Act | 'ignored', attempts: number, out: Outcomes): boolean {
    if (act === 'ignored') {
      out.done += 1
      return true
    }
    const fails = act.do === 'fail' && attempts < act.times
    if (fails && attempts + 1 < this.#mostAttempts) return false
    if (fails || act.do === 'dead') {
      this.#bury(asking, out)
      return true
    }
    if (act.do === 'wait' && !this.state.allowed) {
      this.#defer(asking, out)
      return true
    }
    this.#done(asking, act, out)
    if (!this.state.allowed) return true
    for (const { seq: former } of this.deferred) {
      const waiting = this.#waiting.get(former)
      if (!waiting) throw new TypeError(`Deferred event ${former} is not at hand`)
      this.#done(waiting, waiting.act, out)
    }
    if (this.deferred.length > 0) this.deferred = []
    return true
  }

  #defer(asking: Asking, out: Outcomes): void {
    const { seq, id, event } = asking
    const { nowMs: atMs, member } = out
    const why = 'not allowed yet'
    this.deferred = [...this.deferred, { seq, id, type: event.type, eventId: event.id, why, sinceMs: atMs }]
    this.#waiting.set(seq, asking)
    out.facts.push({ seq, fact: { what: 'deferred', atMs, member, why } })
  }

  #bury({ seq, id, event }: Asking, out: Outcomes): void {
    const { nowMs: atMs, member } = out
    const reason = { reason: 'internal', message: 'never', attempts: 1 }
    out.dead.push({ id, seq, key: this.key, type: event.type, eventId: event.id, ...reason, atMs })
    out.facts.push({ seq, fact: { what: 'dead', atMs, member, ...reason } })
  }

  #done(asking: Asking, act: Act, out: Outcomes): void {
    const { seq, event } = asking
    this.state = folded(this.state, { ...asking, act })
    this.seq = Math.max(this.seq, seq)
    out.done += 1
    if (act.do === 'emit') out.emits.push({ key: this.key, cause: String(seq) })
    if (act.do === 'effect') out.effects.push({ id: act.id, key: this.key, seq })
    if (act.do === 'timer') {
      const dueMs = Date.parse(event.time) + act.afterMs
      out.timers.set(this.key, { key: this.key, name: 'w', dueMs })
      this.#hasTimer = true
    }
  }
}

function actUnder(ruling: Ruling | undefined, act: Act): Act | 'ignored' {
  if (ruling?.kind === 'ignored') return 'ignored'
  return ruling?.kind === 'corrected' ? (ruling.data as Act) : act
}

/** The record of a key, when it has one that was not dropped. */
export function begun({ state }: Pick<StoredKey, 'state'>): StoredKey['state'] {
  return state && !isDropped(state) ? state : undefined
}
