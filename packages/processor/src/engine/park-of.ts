import type { Recorded } from '@millrace/log'
import { factsOf } from '../failure-facts.ts'
import type { ParkNote, ParkTry } from '../parked-key.ts'

/** What a park record says of the event that is its head. */
export interface HeadFacts extends Pick<
  ParkNote,
  'id' | 'type' | 'eventId' | 'correlationId' | 'traceparent'
> {
  readonly seq: number
}

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
  readonly timer?: { readonly name: string; readonly dueMs: number } | undefined
  /** When the ruling was made that it was tried under. */
  readonly ruledMs?: number | undefined
}

export function headOf({ event, position }: Recorded): HeadFacts {
  return {
    seq: position.seq,
    id: position.id,
    type: event.type,
    eventId: event.id,
    // Poison may lack what every event has.
    ...(typeof event.correlationid === 'string' ? { correlationId: event.correlationid } : {}),
    ...(typeof event.traceparent === 'string' ? { traceparent: event.traceparent } : {}),
  }
}

/** The note of a park record. */
export function noteOf(head: HeadFacts, story: HeadStory): ParkNote {
  const { error, dueMs, spent, attempts, tries, sinceMs, timer, ruledMs } = story
  const facts = factsOf(error)
  return {
    why: dueMs === undefined ? 'operator' : 'retry',
    ...(dueMs === undefined ? {} : { dueMs }),
    ...identityOf(head),
    attempts,
    tries,
    ...facts,
    reason: spent ? 'attempts-spent' : facts.reason,
    sinceMs,
    ...(timer === undefined ? {} : { timer }),
    ...(ruledMs === undefined ? {} : { ruledMs }),
  }
}

/** The note of an event that its line has come to: nothing is wrong with it, as far as is known. It is due now. */
export function noteInLine(head: HeadFacts, nowMs: number): ParkNote {
  return {
    why: 'retry',
    dueMs: nowMs,
    ...identityOf(head),
    attempts: 0,
    tries: [],
    reason: 'in-line',
    message: 'Its line has come to it',
    fingerprint: 'in-line',
    sinceMs: nowMs,
  }
}

function identityOf({ id, type, eventId, correlationId, traceparent }: HeadFacts) {
  return {
    ...{ id, type, eventId },
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}
