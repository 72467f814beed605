import type { EventDraft, Topic } from '@millrace/event'
import type { Change, PrimaryKey, Row } from './change.ts'

/** An event that a change becomes; the rest of the envelope follows from the change itself. */
export interface MappedEvent extends Pick<EventDraft, 'type' | 'key' | 'data' | 'version' | 'actor'> {
  /** Default: what the transaction says, else one id for the whole transaction. */
  readonly correlationId?: string
  readonly causationId?: string
  readonly traceparent?: string
  /** Default: when the transaction was committed. */
  readonly time?: string
}

/** A row that exists already, as a snapshot tells it. */
export interface SnapshotOfRow {
  readonly kind: 'snapshot'
  readonly table: string
  readonly row: Row
  readonly key: PrimaryKey
}

/** Where a change stands in its source; a row of a snapshot has no place. */
export interface ChangePlace {
  /** Position of its transaction's commit. */
  readonly position: string
}

/**
 * Says what the changes of one table are on the log. Pure: the same change gives the same events, whoever asks and
 * however often, because a crash repeats it.
 */
export interface Mapping {
  /** With its schema, such as `public.orders`. */
  readonly table: string
  readonly topic: Topic
  /** Whether rows that exist already are told when the pipeline first meets the table. */
  readonly snapshot: boolean
  /**
   * No event, one, or several (at most 100). What it throws stops the pipeline before the change; nothing is lost.
   */
  readonly map: (change: Change | SnapshotOfRow, place?: ChangePlace) => readonly MappedEvent[]
}
