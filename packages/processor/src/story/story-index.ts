import type { Topic } from '@millrace/event'
import type { Cursors, Position } from '@millrace/log'

/** Where an event lies, by what people know of it. */
export interface IndexedEvent {
  readonly eventId: string
  readonly correlationId: string
  readonly position: Position
}

/** Events of one partition that follow one another. */
export interface IndexBatch {
  readonly partition: number
  /** Stream id behind which the batch begins: where the index stands. */
  readonly from: string
  /** Stream id of its last event. */
  readonly to: string
  readonly events: readonly IndexedEvent[]
}

/** A request as a door of the system has answered it. */
export interface RequestFact {
  readonly correlationId: string
  /** When it came, in ms since the epoch. */
  readonly atMs: number
  readonly service: string
  readonly method: string
  /** Template of its route. */
  readonly route: string
  readonly status: number
  readonly tookMs: number
}

/** What is known by a correlation id. */
export interface Correlated {
  /** The first events, at most a thousand of each half of the time that is kept. */
  readonly positions: readonly Position[]
  /** How many there are beyond those. */
  readonly beyond: number
  /** The latest requests, as far as they fit into 4 KB. */
  readonly requests: readonly Omit<RequestFact, 'correlationId'>[]
}

/**
 * Finds events by correlation id and by their own. It follows the topics: what it knows of a partition and how far that
 * goes are one step, so it has everything up to its cursor, and says where that is.
 */
export interface StoryIndex {
  /** How far it goes in each partition; where it has not begun, a partition is absent. */
  cursors(topic: Topic): Promise<Cursors>

  /** Takes the next events in and moves the cursor, in one step. `moved`: the cursor is not at `from`, nothing was done. */
  note(topic: Topic, batch: IndexBatch): Promise<'noted' | 'moved'>

  /** Requests are told apart from events: some may be lost when a process ends. */
  noteRequests(requests: readonly RequestFact[]): Promise<void>

  correlated(correlationId: string): Promise<Correlated>

  /** Where an event with this id lies; more than one where several sources use the same. */
  placesOf(eventId: string): Promise<readonly Position[]>
}

/**
 * Bounds of what is kept, in two generations: when one is full or has lasted long enough, the one before is forgotten.
 * So what is known is at least `windowMs` old, or the last so many.
 */
export const indexBounds = {
  /** Seven days. */
  windowMs: 7 * 24 * 3_600_000,
  /** Event ids and correlation ids of one generation. */
  ids: 1_000_000,
  /** Positions of one correlation id in one generation. */
  positions: 1_000,
  /** Correlation ids of one generation that have requests. */
  requests: 100_000,
  /** Bytes of the requests of one correlation id. */
  requestBytes: 4_096,
} as const
