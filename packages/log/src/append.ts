import type { EncodedEvent, Event, MillraceError } from '@millrace/event'
import type { Position } from './position.ts'

/**
 * A change to the claims of a unit's key, judged and written in the same step as the events.
 * `claim` demands that the key holds no entry of this constraint, `change` and `release` that it holds one.
 * They free what the key's own entry says, never what the caller says.
 */
export interface ClaimChange {
  /** Name of the constraint. */
  readonly constraint: string
  /** Field to name to the caller when the claim is lost. */
  readonly field: string
  readonly action: 'claim' | 'change' | 'release'
  /**
   * Digest of the normalised value by keyring version; must cover every live version. Empty for a release,
   * and for an optional value that is absent: then the key owns an entry that holds nothing.
   */
  readonly digests: Readonly<Record<string, string>>
}

/** Events of one key that are appended together or not at all. */
export interface AppendUnit {
  /** At least one; all with the same `subject`. */
  readonly events: readonly Event[]
  /** The same events with their JSON, where they were made with it: it is not made again. */
  readonly encoded?: readonly EncodedEvent[]
  /** How many events the key must have; 0 demands that it is new. */
  readonly expectedVersion?: number
  readonly claims?: readonly ClaimChange[]
  /** What the request was (a keyed digest): a repeat with another one is refused instead of answered as a duplicate. */
  readonly fingerprint?: string
  /** When every claim change of the unit changes nothing, append nothing and answer `unchanged`. */
  readonly skipUnchanged?: boolean
}

/** What became of one unit. Refusals are results: the other units of the call stand. */
export type AppendResult =
  | { readonly status: 'appended'; readonly positions: readonly Position[]; readonly version: number }
  /** All its events are on the log already: these are their positions. */
  | { readonly status: 'duplicate'; readonly positions: readonly Position[] }
  /** Nothing would have changed; `position` is the key's last event. */
  | { readonly status: 'unchanged'; readonly position: Position }
  | { readonly status: 'refused'; readonly error: MillraceError }

/** A right to append by channel that can pass to others: `token` is `<counter>-<nonce>`, a later one has a higher counter. */
export interface Fence {
  /** Whose channels it stands before: 1 to 100 characters. */
  readonly name: string
  readonly token: string
}

/** What became of setting a fence; refused: the token that is there is a later one, or another of the same counter. */
export type FenceResult = { readonly status: 'set' } | { readonly status: 'refused'; readonly token: string }

/** A batch of a producer that counts its own events, to one partition. */
export interface ChannelBatch {
  readonly partition: number
  /** Name of the producer's line into this topic. */
  readonly channel: string
  /** Grows with every take-over of the channel; an older one is refused, a newer one starts at 1. */
  readonly incarnation: number
  /** Sequence number of the first event, from 1, without gaps within an incarnation. */
  readonly first: number
  /** May be empty where there is a mark: that then stands alone, and only if `first` is what comes next. */
  readonly events: readonly Event[]
  /** Where the producer stands at its source after this batch; stored by the same step. */
  readonly mark?: string
  /** The batch is taken only while the partition has this very fence; see {@link EventLog.fence}. */
  readonly fence?: Fence
}

/** Where a channel stands. */
export interface ChannelState {
  readonly incarnation: number
  /** Last sequence number on the log; 0 before the first. */
  readonly last: number
  readonly mark: string | undefined
}

/** What became of a channel batch. */
export type ChannelResult =
  /** `taken` events were new (the last ones of the batch); the others were there already. */
  | { readonly status: 'appended'; readonly taken: number; readonly last: number }
  | { readonly status: 'refused'; readonly error: MillraceError; readonly last: number }
