/** What a commit makes of the record of one key. */
export type StateChange = StateWrite | StateRemoval

/** The record of a key after a commit. */
export interface StateWrite {
  readonly key: string
  /** Version of the state's form. */
  readonly version: number
  /** The last event of the key that went into it. */
  readonly seq: number
  /** JSON, or empty: no state. */
  readonly state: string
  /** What durable operators remember: JSON, or empty. */
  readonly ops: string
}

/** The record of a key is removed. */
export interface StateRemoval {
  readonly key: string
  readonly removed: true
}

/** A record as it is stored. */
export type StoredState = Omit<StateWrite, 'key'>
