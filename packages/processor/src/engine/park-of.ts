import type { Recorded } from '@millrace/log'
import { factsOf } from '../failure-facts.ts'
import type { ParkNote, ParkTry } from '../parked-key.ts'

/** What is known of a head that could not be settled. */
export interface HeadStory {
  readonly error: unknown
  readonly attempts: number
  readonly tries: readonly ParkTry[]
  readonly sinceMs: number
  /** When it is tried again, in ms since the epoch; undefined: it waits for an operator. */
  readonly dueMs: number | undefined
  /** Its attempts have run out. */
  readonly spent: boolean
  /** The timer that it waits behind. */
  readonly timer?: { readonly name: string; readonly dueMs: number }
}

/** The note of a park record. */
export function noteOf({ event, position }: Recorded, story: HeadStory): ParkNote {
  const { error, dueMs, spent, attempts, tries, sinceMs, timer } = story
  const facts = factsOf(error)
  return {
    why: dueMs === undefined ? 'operator' : 'retry',
    ...(dueMs === undefined ? {} : { dueMs }),
    id: position.id,
    type: event.type,
    eventId: event.id,
    // Poison may lack what every event has.
    ...(typeof event.correlationid === 'string' ? { correlationId: event.correlationid } : {}),
    attempts,
    tries,
    ...facts,
    reason: spent ? 'attempts-spent' : facts.reason,
    sinceMs,
    ...(timer === undefined ? {} : { timer }),
  }
}
