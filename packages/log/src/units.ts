import { type Event, limits, MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import type { AppendUnit, ChannelBatch } from './append.ts'

/** The key of a unit, after a check that its events belong together. */
export function keyOfUnit(unit: AppendUnit): string {
  const key = unit.events[0]?.subject
  if (key === undefined) throw new MillraceError('event.invalid', 'A unit has at least one event')
  const ids = new Set<string>()
  for (const event of unit.events) {
    if (event.subject !== key)
      throw new MillraceError('event.invalid', 'The events of a unit belong to one key')
    ids.add(identity(event))
  }
  if (ids.size !== unit.events.length) throw new MillraceError('event.invalid', 'A unit holds an event twice')
  const constraints = new Set(unit.claims?.map((claim) => claim.constraint))
  if (constraints.size !== (unit.claims?.length ?? 0))
    throw new MillraceError('event.invalid', 'A unit names a constraint twice')
  return key
}

/** What dedupe compares: source and id; a source has no white space, so the pair is unambiguous. */
export function identity(event: Event): string {
  return `${event.source} ${event.id}`
}

/** Checks a channel batch: one partition, counted from 1, within the limits. */
export function checkChannelBatch(topic: Topic, batch: ChannelBatch): void {
  if (batch.events.length === 0)
    throw new MillraceError('event.invalid', 'A channel batch has at least one event')
  if (batch.events.length > limits.appendEvents)
    throw new MillraceError('append.limit', `A channel batch has at most ${limits.appendEvents} events`)
  if (!Number.isSafeInteger(batch.first) || batch.first < 1)
    throw new MillraceError('event.invalid', 'A channel counts from 1')
  if (!Number.isSafeInteger(batch.incarnation) || batch.incarnation < 0)
    throw new MillraceError('event.invalid', 'An incarnation is a whole number')
  for (const event of batch.events)
    if (partitionOfKey(topic, event.subject) !== batch.partition)
      throw new MillraceError(
        'event.invalid',
        `The key of event ${event.id} does not belong to partition ${batch.partition}`,
      )
}
