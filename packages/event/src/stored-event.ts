import { envelopeOf } from './codec.ts'
import { MillraceError } from './error.ts'
import { noteFault } from './event-faults.ts'
import type { Event } from './event.ts'

/** What stands for an attribute that cannot be read. No topic has such a type. */
const unreadable = '(unreadable)'

/**
 * What lies on the log, as an event. The log refuses what has no proper envelope; where something else has put it there,
 * its partition must go on: unreadable attributes are replaced, and `upcast` refuses the event with the reason, which
 * makes it a dead letter.
 *
 * @throws MillraceError `event.invalid` for what is no event at all
 * @param id Its place, `<ms>-<seq>`: what it is called, and when it came, where it does not say so itself.
 */
export function storedEvent(value: unknown, id: string): Event {
  try {
    return envelopeOf(value)
  } catch (error) {
    if (!(error instanceof MillraceError) || !namesItself(value)) throw error
    const event = mended(value, id)
    noteFault(event, error)
    return event
  }
}

/** An event that is larger than any may be: `upcast` refuses it. */
export function oversizeEvent(event: Event, bytes: number): Event {
  const message = `The event has ${bytes} bytes, which is more than the log takes`
  noteFault(event, new MillraceError('event.too-large', message))
  return event
}

// What has not even an id is no event but somebody else's: that is no poison, the log is spoilt.
function namesItself(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
}

function mended(given: object, id: string): Event {
  const stand: Event = {
    id: `unreadable-${id}`,
    type: unreadable,
    source: '/unreadable',
    subject: unreadable,
    time: new Date(Number(id.split('-')[0])).toISOString(),
    correlationid: `unreadable-${id}`,
    data: undefined,
  }
  let event = stand
  // Each attribute by itself: what can be read is kept.
  for (const [name, attribute] of Object.entries(given)) {
    if (attribute === undefined) continue
    const next = { ...event, [name]: attribute as unknown }
    if (isReadable(next)) event = next
  }
  return event
}

function isReadable(event: Event): boolean {
  try {
    envelopeOf(event)
    return true
  } catch {
    // Why is said by the fault of the whole.
    return false
  }
}
