import type { DeadLetter } from './dead-letter.ts'
import type { ParkedKey } from './parked-key.ts'

/** An event that needs an operator: a dead letter, or the head of a key that is held. */
export interface DeadItem {
  /** `dead`: its key has gone on. `held`: its key waits behind it. */
  readonly status: 'dead' | 'held'
  readonly seq: number
  /** When it was given up, in ms since the epoch. */
  readonly atMs: number
  readonly key: string
  readonly type: string
  /** Groups errors of one cause: the fingerprint of the last one, or its code where there is none. */
  readonly reasonClass: string
  /** With `dead`. */
  readonly letter?: DeadLetter
  /** With `held`: the record of the key, with the length of its line. */
  readonly parked?: ParkedKey
}

/** Which of them to answer; all that is said must hold. */
export interface DeadFilter {
  readonly status?: DeadItem['status']
  readonly reasonClass?: string
  readonly type?: string
  readonly key?: string
  /** Given up at this time or later, in ms since the epoch. */
  readonly fromMs?: number
  /** Given up at this time or before, in ms since the epoch. */
  readonly untilMs?: number
}

/** How many of one class or type there are. */
export interface DeadCount {
  readonly name: string
  readonly count: number
}

/** What a group cannot process in a partition, counted. */
export interface DeadCounts {
  readonly dead: number
  readonly held: number
  /** Dead letters that wait for their late run. */
  readonly late: number
  /** When the oldest was given up, in ms since the epoch. */
  readonly oldestMs: number | undefined
  /** The first hundred of each by name. */
  readonly classes: readonly DeadCount[]
  readonly types: readonly DeadCount[]
}

/** Where an item stands in the list and by what it is found. The adapters store the same facts. */
export type DeadFacts = Pick<DeadItem, 'status' | 'seq' | 'atMs' | 'key' | 'type' | 'reasonClass'>

export function deadItemOf(letter: DeadLetter): DeadItem {
  const { seq, atMs, key, type, fingerprint, reason } = letter
  return { status: 'dead', seq, atMs, key, type, reasonClass: classOf(fingerprint ?? reason), letter }
}

/** The item of a parked key; undefined: it is tried again by itself. */
export function heldItemOf(parked: ParkedKey): DeadItem | undefined {
  const { head, key, note } = parked
  if (note.why !== 'operator') return undefined
  const last = note.tries.at(-1)
  return {
    status: 'held',
    seq: head,
    atMs: last ? Math.round(last.atMs + last.tookMs) : note.sinceMs,
    key,
    type: note.type,
    reasonClass: classOf(note.fingerprint),
    parked,
  }
}

// Fingerprints and codes are plain; what is not would be hard to ask for, and stands in one class.
function classOf(text: string): string {
  return /^[ -~]{1,200}$/.test(text) ? text : 'other'
}

/** Whether an item is what a filter asks for. */
export function fits(item: DeadFacts, filter: DeadFilter): boolean {
  const { status, reasonClass, type, key, fromMs, untilMs } = filter
  return (
    (status ?? item.status) === item.status &&
    (reasonClass ?? item.reasonClass) === item.reasonClass &&
    (type ?? item.type) === item.type &&
    (key ?? item.key) === item.key &&
    (fromMs ?? item.atMs) <= item.atMs &&
    (untilMs ?? item.atMs) >= item.atMs
  )
}

/** The place of an item in the list, as a page's `next` says it. */
export function deadPlace({ atMs, seq }: Pick<DeadFacts, 'atMs' | 'seq'>): string {
  return `${atMs} ${seq}`
}
