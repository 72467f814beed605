/** What a commit makes of a parked key: its head waits, others line up behind it. */
export interface Park {
  readonly key: string
  /** Sequence number of the event that could not be settled. */
  readonly head: number
  /** Sequence number of the last event in line; the head's own when nobody waits behind it. */
  readonly last: number
  /** How many events wait behind the head. */
  readonly lined: number
  readonly note: ParkNote
  /** The head was tried again: a mark that it is due has been answered. Another head has none anyway. */
  readonly tried?: true
  /** With `tried`: when the mark that it answers was set; one that an operator has set since stays. */
  readonly markMs?: number
}

/** What people and retries want to know of a head. JSON. */
export interface ParkNote {
  /**
   * - `retry`: it is tried again at `dueMs`;
   * - `operator`: it waits for somebody to repair it.
   */
  readonly why: 'retry' | 'operator'
  /** When the next attempt is due, in ms since the epoch; undefined when none is planned. */
  readonly dueMs?: number
  /** Stream id of the head. */
  readonly id: string
  readonly type: string
  readonly eventId: string
  readonly correlationId?: string
  /** W3C trace context of the head. */
  readonly traceparent?: string
  /** How many attempts the head has cost. */
  readonly attempts: number
  /** The last attempts, earliest first; at most {@link mostTries}. */
  readonly tries: readonly ParkTry[]
  /** Code of the last error, or `attempts-spent` with the last error in the message. */
  readonly reason: string
  readonly message: string
  readonly stack?: string
  /** Groups errors of one cause. */
  readonly fingerprint: string
  /** When it was first tried, in ms since the epoch. */
  readonly sinceMs: number
  readonly details?: Readonly<Record<string, unknown>>
  /** When the ruling was made that the head was tried under last, in ms since the epoch. */
  readonly ruledMs?: number
  /** The durable timer of the key that could not be fired; the head waits behind it and was not tried. */
  readonly timer?: { readonly name: string; readonly dueMs: number }
}

/** One attempt on a head. */
export interface ParkTry {
  /** When it began, in ms since the epoch, by the member's clock. */
  readonly atMs: number
  readonly tookMs: number
  readonly member: string
  /** Code and message of the error. */
  readonly error: string
}

/** How many attempts a park record names; all of them are counted. */
export const mostTries = 20

/** The line of a parked key becomes longer; nothing else of its record changes. */
export interface LineGrowth {
  readonly key: string
  /** Sequence number of the last event in line. */
  readonly last: number
  /** How many events wait behind the head. */
  readonly lined: number
}

/** Head and line of a key are settled by this commit. */
export interface Unpark {
  readonly key: string
  /** The last event in line, as the store has it: all up to there are settled. */
  readonly last: number
}

/** A parked key as it is stored. */
export interface ParkedKey extends Omit<Park, 'tried' | 'markMs'> {
  /** Number of the commit that made the head the head: another one for each head. */
  readonly no: number
}
