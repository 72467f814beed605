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
}

/** What people and retries want to know of a head. JSON. */
export interface ParkNote {
  /** Stream id of the head. */
  readonly id: string
  readonly type: string
  readonly eventId: string
  readonly attempts: number
  /** Code of the last error. */
  readonly reason: string
  readonly message: string
  /** When it was first tried, in ms since the epoch. */
  readonly sinceMs: number
  readonly details?: Readonly<Record<string, unknown>>
}

/** Head and line of a key are settled by this commit. */
export interface Unpark {
  readonly key: string
  /** The last event in line that the member knows of and has settled. */
  readonly last: number
}

/** A parked key as it is stored. */
export interface ParkedKey extends Park {
  /** Number of the commit that made the head the head: another one for each head. */
  readonly no: number
}
