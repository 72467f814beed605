/** A timer of a key is set, moved or cancelled. There is one of a name. */
export interface TimerSetting {
  readonly key: string
  readonly name: string
  /** When it is due, in ms since the epoch; undefined: cancelled. */
  readonly dueMs: number | undefined
}

/** A timer that is stored. */
export interface KeyTimer extends TimerSetting {
  readonly dueMs: number
}

/** A timer that has fired, and where in the history of its key. */
export interface Firing extends KeyTimer {
  /** The last event of the key before it; 0: before the first. */
  readonly afterSeq: number
}

/** The timers that are due, earliest first. */
export interface DueTimers {
  readonly timers: readonly KeyTimer[]
  /** When the first of those that were not answered is due; undefined: there is none. */
  readonly nextMs: number | undefined
}

/** What the journal holds of a firing. */
export interface JournalledFiring extends Firing {
  /** Counts the firings of the group in the partition, from 1. */
  readonly no: number
}
