/** What an operator has decided about an event that could not be settled. Stored by the seq of the event. JSON. */
export interface Ruling {
  /**
   * - `ignored`: done, without its handler;
   * - `corrected`: the handler sees `data` instead of what lies on the log;
   * - `requeued`: tried again as if for the first time.
   */
  readonly kind: 'ignored' | 'corrected' | 'requeued'
  /** Who decided. */
  readonly by: string
  readonly reason: string
  /** In ms since the epoch. */
  readonly atMs: number
  /** Names the decision, and its data: what a repeat is known by. */
  readonly id: string
  readonly digest: string
  /** The corrected event's data, checked against the present version of its schema. */
  readonly data?: unknown
  /** What the event was. */
  readonly of: 'parked' | 'dead'
  /** Where the late run of a dead letter came; undefined: it has not been handled since. */
  readonly ran?: JournalledLateRun
}

/** A requeued dead letter was handled, and where in the history of its key. */
export interface LateRun {
  readonly seq: number
  /** No event of the key up to this one was handled behind it, none beyond it before. */
  readonly afterSeq: number
  /** How many of the firings of the same commit came before it. Default 0. */
  readonly afterFirings?: number
}

/** What is kept of a late run, with its event's ruling. */
export interface JournalledLateRun {
  readonly afterSeq: number
  /** Counts late runs and firings of timers of the group in the partition, from 1. */
  readonly no: number
}

/** Which ruling an event was handled under. */
export interface HeededRuling {
  readonly seq: number
  /** Id of the ruling; undefined: under none. */
  readonly id: string | undefined
  /** The ruling itself: it stands again where another one has taken its place while it was followed. */
  readonly ruling?: Ruling
}

/** A dead letter that an operator has put back: it is handled late, after events of its key that came behind it. */
export interface RequeuedEvent {
  readonly seq: number
  /** Stream id. */
  readonly id: string
  readonly key: string
}

/** A parked key that is to be run now. */
export interface DueKey {
  readonly key: string
  /** When it was marked, in ms since the epoch. */
  readonly atMs: number
}
