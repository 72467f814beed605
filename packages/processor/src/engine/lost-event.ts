import { type Event, MillraceError } from '@millrace/event'
import { isStreamId, type Recorded, seqOf } from '@millrace/log'
import type { GroupPartition } from '../group-partition.ts'
import type { HeadFacts } from './park-of.ts'

/** An event that its key's index names and the log cannot give any more: removed, or spoilt. */
export interface LostEvent {
  /** Its stream id. */
  readonly id: string
  readonly seq: number
  /** How many events that were asked for as well come before it. */
  readonly before: number
  readonly error: MillraceError
}

const codes: ReadonlySet<string> = new Set(['log.trimmed', 'log.corrupt', 'event.invalid'])

/** Whether an event cannot be read, now or later, while the log is well. */
export function isLost(error: unknown): error is MillraceError {
  return error instanceof MillraceError && codes.has(error.code)
}

/** The event that a read of a key has failed at; undefined: the read has failed for another reason, or does not say. */
export function lostEventOf(error: unknown): LostEvent | undefined {
  if (!isLost(error)) return undefined
  const { id, before } = error.details
  if (typeof id !== 'string' || !isStreamId(id) || typeof before !== 'number') return undefined
  return { id, seq: seqOf(id), before, error }
}

/** What is known of an event of which nothing is left but its place. */
export function factsOfLost({ id, seq }: { readonly id: string; readonly seq: number }): HeadFacts {
  return { id, seq, eventId: `unreadable-${id}`, type: '(unreadable)' }
}

/** Stands for an event that cannot be read, so that something can be decided about it. */
export function standIn({ topic, partition }: GroupPartition, key: string, facts: HeadFacts): Recorded {
  const { id, seq, eventId, type, correlationId = eventId } = facts
  const event: Event = {
    ...{ id: eventId, type, source: '', subject: key, time: '', data: null, correlationid: correlationId },
  }
  return { event, position: { topic: topic.name, partition, id, seq } }
}
