import type { KeyTimer } from '../key-timer.ts'
import { Delivery } from '../lane/delivery.ts'
import type { LineGrowth, Park, ParkedKey, ParkNote } from '../parked-key.ts'
import { type HeadFacts, noteInLine } from './park-of.ts'

/** One run of a line: from the mark that its head is due until the key is open, or parked again. */
export interface LineRun {
  /** When the mark that it answers was set, in ms since the epoch. */
  readonly markMs: number
  /** Sequence number of the last event of the line that was read. */
  readSeq: number
  /** How many of the key's first events are not to be read any more; undefined until the head was found. */
  version: number | undefined
  reading: boolean
  /** Something of it was settled: it is worth reading on. */
  proven: boolean
}

/** What a commit does to a parked key. */
export interface LineChange {
  readonly park?: Park
  readonly growth?: LineGrowth
  readonly unpark?: { readonly key: string; readonly last: number }
  /** Events that the window is to settle: they have lined up. */
  readonly linedUp: readonly number[]
  /** The head, or the last one that the key had. */
  readonly head: number
  /** How many events of the line are settled by it, as the store counts. */
  readonly settled: number
  /** The head is another one: its number is that of the commit. */
  readonly fresh: boolean
  /** An attempt has ended: the next one is to be planned. */
  readonly ended: boolean
}

/**
 * A parked key in its owner's hand: what the store has of it, what the next commit says, and what of its line is being
 * handled. See docs/state-machines.md.
 */
export class ParkedLine {
  readonly key: string
  /** Number of the head; undefined until a commit has given it one. */
  no: number | undefined
  run: LineRun | undefined
  /** How many events of the key come before one that was the head. */
  found: { readonly seq: number; readonly version: number } | undefined
  note: ParkNote
  /** Timers of the key that came due meanwhile and are to leave the partition's list. */
  aside: KeyTimer[] = []
  /** What the last commit left. */
  #stored: { readonly head: number; readonly last: number; readonly total: number } | undefined
  /** The head, and behind it those that were handed over and are in no commit. */
  #queue: HeadFacts[]
  readonly #first: HeadFacts
  #last: number
  /** Head and line. */
  #total: number
  /** Those that no commit has lined up yet. */
  #linedUp: Delivery[] = []
  #tried: { readonly markMs: number } | undefined
  #ended = false

  private constructor(key: string, note: ParkNote, head: HeadFacts) {
    this.key = key
    this.note = note
    this.#queue = [head]
    this.#first = head
    this.#last = head.seq
    this.#total = 1
  }

  /** An event that no commit carries becomes the head. */
  static begin(delivery: Delivery, head: HeadFacts, note: ParkNote): ParkedLine {
    const line = new ParkedLine(delivery.key, note, head)
    line.#linedUp.push(delivery)
    return line
  }

  /** As the store has it. */
  static ofStored({ key, no, head, last, lined, note }: ParkedKey): ParkedLine {
    const line = new ParkedLine(key, note, { ...note, seq: head })
    line.no = no
    line.#last = last
    line.#total = lined + 1
    line.#stored = { head, last, total: line.#total }
    return line
  }

  /** The head as it is when everything that is settled was committed. */
  get head(): HeadFacts | undefined {
    return this.#queue[0]
  }

  /** The last one that was handed over: where the run has stopped, when it has. */
  get newest(): HeadFacts {
    return this.#queue.at(-1) ?? this.#first
  }

  get last(): number {
    return this.#last
  }

  /** How many wait behind the head. */
  get lined(): number {
    return this.#total - 1
  }

  /** Everything in line was read and handed over: what comes next can be taken in behind it. */
  get atEnd(): boolean {
    return this.run !== undefined && this.run.readSeq >= this.#last
  }

  /** A commit has something to say of it. */
  get changed(): boolean {
    return this.#linedUp.length > 0 || this.#ended || this.aside.length > 0
  }

  /** An event of the key has come. */
  lineUp(delivery: Delivery, seq: number): void {
    this.#last = seq
    this.#total += 1
    this.#linedUp.push(delivery)
  }

  /** What has lined up, when no commit has said so; undefined when the store knows the key as parked. */
  dissolve(): readonly Delivery[] | undefined {
    if (this.#stored !== undefined) return undefined
    return [...this.#linedUp, ...this.aside.map((timer) => Delivery.ofTimer(this.key, timer))]
  }

  /** The next event in line is handed over. */
  handOver(head: HeadFacts): void {
    if (head.seq !== this.#queue.at(-1)?.seq) this.#queue.push(head)
  }

  /** The run is over: this event is to be the head. It was handed over, or has just lined up. */
  stopAt(head: HeadFacts, note: ParkNote): void {
    const at = this.#queue.findIndex(({ seq }) => seq === head.seq)
    if (at < 0) this.#queue.push(head)
    else this.#queue.length = at + 1
    if (this.run) this.#tried = { markMs: this.run.markMs }
    this.run = undefined
    this.note = note
    this.#ended = true
  }

  /** How many of the next `count` events may be committed now: one must stay as long as the next is not known. */
  mayTake(count: number): number {
    return count < this.#queue.length || this.atEnd ? count : this.#queue.length - 1
  }

  /**
   * What the next commit says of it.
   *
   * @param taken How many events of the line it settles, from the head on.
   * @param behind Whether settled events of the key stay for the commit after it.
   */
  change(taken: number, behind: boolean, nowMs: number): LineChange | undefined {
    this.#queue.splice(0, taken)
    this.#total -= taken
    const head = this.#queue[0]
    const stored = this.#stored
    const exhausted = stored === undefined || head === undefined || head.seq > stored.last
    if (exhausted && (head === undefined || behind)) return this.#over(head, stored)
    if (taken === 0 && this.#linedUp.length === 0 && !this.#ended) return undefined
    return this.#parked(head, stored, nowMs)
  }

  /** The store has nothing of it any more; what lined up meanwhile and was settled with it leaves with it. */
  #over(
    head: HeadFacts | undefined,
    stored: { readonly head: number; readonly last: number; readonly total: number } | undefined,
  ): LineChange | undefined {
    const isTaken = (one: Delivery) => head === undefined || seqOf(one) < head.seq
    const linedUp = this.#linedUp.filter(isTaken).map(seqOf)
    if (stored === undefined && linedUp.length === 0) return undefined
    this.#linedUp = this.#linedUp.filter((one) => !isTaken(one))
    this.#total = this.#linedUp.length
    this.#stored = undefined
    this.no = undefined
    return {
      ...(stored ? { unpark: { key: this.key, last: stored.last } } : {}),
      linedUp,
      head: stored?.head ?? linedUp[0] ?? 0,
      settled: (stored?.total ?? 0) + linedUp.length,
      fresh: false,
      ended: false,
    }
  }

  #parked(
    head: HeadFacts,
    stored: { readonly head: number; readonly total: number } | undefined,
    nowMs: number,
  ): LineChange {
    const linedUp = this.#linedUp
    // The types that the group handles may have changed while they waited.
    const most = this.#last - head.seq
    this.#total = 1 + (most === 0 ? 0 : Math.min(Math.max(this.#total - 1, 1), most))
    const settled = (stored?.total ?? 0) + linedUp.length - this.#total
    const fresh = stored?.head !== head.seq
    const ended = this.#ended && head.id === this.note.id
    const growth: LineGrowth = { key: this.key, last: this.#last, lined: this.#total - 1 }
    const park: Park = {
      ...growth,
      head: head.seq,
      note: head.id === this.note.id ? this.note : noteInLine(head, nowMs),
      ...(ended && this.#tried ? { tried: true, markMs: this.#tried.markMs } : {}),
    }
    this.#stored = { head: head.seq, last: this.#last, total: this.#total }
    this.#linedUp = []
    if (fresh) this.no = undefined
    if (ended) {
      this.#ended = false
      this.#tried = undefined
    }
    const said = fresh || ended ? { park } : { growth }
    return { ...said, linedUp: linedUp.map(seqOf), head: head.seq, settled, fresh, ended }
  }
}

function seqOf({ recorded }: Delivery): number {
  return recorded?.position.seq ?? 0
}
