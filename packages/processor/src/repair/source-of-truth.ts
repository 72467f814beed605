import type { Event } from '@millrace/event'

/** The present state of an entity, as its source tells it. */
export interface PresentState {
  /** Data of an event of the same type; checked against its schema. */
  readonly data: unknown
  /** Which version of the entity that is: events in line of this version and before it are superseded. */
  readonly version?: number
}

/**
 * Where the present state of what an event of one type speaks of can be asked for. For types that say what is, not
 * what has changed: the state of now takes the place of an event of before.
 */
export interface SourceOfTruth {
  /**
   * Asks for the present state; undefined when the entity is not there any more.
   *
   * @throws MillraceError `source.failed`, `source.refused`
   */
  fetch(event: Event, signal: AbortSignal): Promise<PresentState | undefined>
  /** The version of the entity that an event was made from. Without it nothing in line is superseded. */
  versionOf?(event: Event): number | undefined
}

/** Sources of a topic by the name of the type. */
export type SourcesOfTruth = Readonly<Record<string, SourceOfTruth>>
