import { MillraceError } from '@millrace/event'

/**
 * The place of an event: the topic's partition, its dense sequence number there (from 1), and its stream id,
 * which is `<milliseconds>-<sequence>`: readable as a time, ordered, and dense in its second half.
 */
export interface Position {
  readonly topic: string
  readonly partition: number
  readonly id: string
  readonly seq: number
}

/** The cursor before the first event of a partition. */
export const beginning = '0-0'

const idPattern = /^(\d{1,15})-(\d{1,15})$/
const textPattern = /^([a-z][a-z0-9-]{0,62})\/(\d{1,4})\/(\d{1,15}-\d{1,15})$/

/** Sequence number within a stream id. */
export function seqOf(id: string): number {
  return Number(id.slice(id.indexOf('-') + 1))
}

/** Milliseconds since the epoch within a stream id: when the log took the event. */
export function recordedMsOf(id: string): number {
  return Number(id.slice(0, id.indexOf('-')))
}

/** Whether a text has the form of a stream id. */
export function isStreamId(text: string): boolean {
  return idPattern.test(text)
}

/** Orders two stream ids of one partition. */
export function compareIds(a: string, b: string): number {
  return recordedMsOf(a) - recordedMsOf(b) || seqOf(a) - seqOf(b)
}

/** A position as text, for headers, queries and people: `accounts/3/1700000000000-42`. */
export function formatPosition(position: Position): string {
  return `${position.topic}/${position.partition}/${position.id}`
}

/**
 * Reads what {@link formatPosition} wrote.
 *
 * @throws MillraceError `position.invalid`
 */
export function parsePosition(text: string): Position {
  const match = textPattern.exec(text)
  if (!match) throw new MillraceError('position.invalid', 'A position looks like accounts/3/1700000000000-42')
  const [, topic = '', partition = '', id = ''] = match
  return { topic, partition: Number(partition), id, seq: seqOf(id) }
}
