import type { Event } from '@millrace/event'
import type { Position } from '@millrace/log'
import type { ConstraintAction } from '@millrace/uniq'

/** What an event does to the claims; `none` for an event that no constraint names. */
export type UniqAction = ConstraintAction | 'none'

/** What goes with an event. */
export interface UniqOptions {
  /** Keyed digest of the request; a repeat with another one is refused with `append.fingerprint`. */
  readonly fingerprint?: string | undefined
  /** Events that the account must have; a create demands none by itself. */
  readonly expectedVersion?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What became of an event. */
export interface UniqAnswer {
  /** `duplicate`: it was on the log already; `unchanged`: the change would have changed nothing. */
  readonly status: 'appended' | 'duplicate' | 'unchanged'
  /** Of the event; when unchanged, of the account's last event. */
  readonly position: Position
  /** Events of the account after this one; only when it was appended. */
  readonly version?: number
}

/**
 * The port to Uniq, the only way by which user-command writes. Uniq itself fits it in one process, and
 * {@link uniqOverHttp} across processes. Either repeats an event whose result is unknown, within a time limit.
 */
export interface UniqClient {
  /**
   * @throws MillraceError `append.claimed`, `append.not-owner`, `append.version`, `append.fingerprint`;
   *   `append.unknown`, `service.unavailable`, `log.unavailable` and others that a later repeat may mend
   */
  append(action: UniqAction, event: Event, options?: UniqOptions): Promise<UniqAnswer>
  /** The account that holds a value. */
  ownerOf(constraint: string, values: readonly string[]): Promise<string | undefined>
}
