/** An account as the view keeps it. */
export interface AccountRow {
  readonly id: string
  /** Empty once the account is closed, like the address. */
  readonly username: string
  readonly email: string
  /** The address is confirmed. */
  readonly activated: boolean
  readonly closed: boolean
  /** ISO 8601. */
  readonly createdAt: string
  /** Events of the account so far. */
  readonly version: number
  /** Version at which the password was set; sessions of an earlier one are void. */
  readonly passwordVersion: number
  readonly partition: number
  /** Sequence number of the last event that is in here. */
  readonly lastSeq: number
  /** What it counts for in the statistics: the day in UTC (`2026-11-21`), and the host of the address. */
  readonly day: string
  readonly host: string
}

/** What statistics can be by. */
export type SignUpsBy = 'day' | 'host'

/** Sign-ups of one day, or with addresses of one host. */
export interface SignUpCount {
  readonly of: string
  readonly count: number
}

/** The data of the view, within one transaction. */
export interface AccountRows {
  /** Gets several accounts in one go, for the `get`s that follow. */
  load(ids: readonly string[]): Promise<readonly AccountRow[]>
  get(id: string): Promise<AccountRow | undefined>
  put(row: AccountRow): Promise<void>
  remove(id: string): Promise<void>
  /** Accounts of a partition with events above a sequence number; some of them. */
  touchedAfter(partition: number, seq: number): Promise<readonly AccountRow[]>
  countSignUp(of: Pick<AccountRow, 'partition' | 'day' | 'host'>, by: 1 | -1): Promise<void>
  /** By day: the latest days, in order; by host: the largest counts first. At most `limit`. */
  signUps(by: SignUpsBy, limit: number): Promise<readonly SignUpCount[]>
}
