import { systemClock, type Clock } from './clock.ts'
import { type FieldError, MillraceError } from './error.ts'
import type { Event, EventDraft } from './event.ts'
import { freshId } from './ids.ts'
import { assertSafe, parseJson } from './json.ts'
import { limits } from './limits.ts'
import { type Topic, validateData, versionOf } from './topic.ts'

/**
 * Makes an event out of a draft: fills in what the producer left out and checks everything.
 *
 * @throws MillraceError `type.unknown`, `event.invalid`
 */
export function newEvent(topic: Topic, draft: EventDraft, clock: Clock = systemClock): Event {
  const id = draft.id ?? freshId()
  const version = draft.version ?? versionOf(topic, draft.type)
  const data =
    version === versionOf(topic, draft.type) ? validateData(topic, draft.type, draft.data) : draft.data
  // Members are added one by one: a spread for each that may be absent takes as long as all the checks.
  const event: Writable<Event> = {
    id,
    type: draft.type,
    source: draft.source ?? `/millrace/${topic.name}`,
    subject: draft.key,
    time: draft.time ?? isoTime(clock.now()),
    data,
    correlationid: draft.correlationId ?? id,
  }
  if (version > 1) event.dataversion = version
  if (draft.causationId !== undefined) event.causationid = draft.causationId
  if (draft.traceparent !== undefined) event.traceparent = draft.traceparent
  if (draft.actor !== undefined) event.actor = draft.actor
  assertEnvelope(event)
  assertSafe(event.data)
  return event
}

let lastMs = Number.NaN
let lastTime = ''

// Making the text takes half as long as all else, and events that are made together have one time.
function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastTime = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastTime
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/**
 * An event as the JSON that lies on the log.
 *
 * @throws MillraceError `event.too-large`
 */
export function encodeEvent(topic: Topic, event: Event): string {
  const json = JSON.stringify(event)
  const most = topic.maxEventBytes ?? limits.eventBytes
  // A UTF-16 unit is at most three bytes: most texts need no count.
  if (json.length * 3 > most && Buffer.byteLength(json) > most)
    throw new MillraceError(
      'event.too-large',
      `The event has ${Buffer.byteLength(json)} bytes; topic ${topic.name} takes ${most}`,
    )
  return json
}

/** Reads back what {@link encodeEvent} wrote. */
export function decodeEvent(json: string): Event {
  return envelopeOf(parseJson(json))
}

/**
 * Checks that a parsed value has the envelope of an event. The data is not looked at.
 *
 * @throws MillraceError `event.invalid`
 */
export function envelopeOf(value: unknown): Event {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new MillraceError('event.invalid', 'An event is a JSON object')
  const event = value as Event
  assertEnvelope(event)
  return event
}

const required = ['id', 'type', 'source', 'subject', 'time', 'correlationid'] as const
const optional = ['causationid', 'traceparent', 'actor'] as const

const printable = /^[!-~]+$/
const utcTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

// Each event is looked at when it is made, appended and read, and nearly every envelope is printable ASCII: that
// is told in 0.2 µs, where the exact look takes 0.7.
function isPlain(event: Event): boolean {
  return (
    isPrintable(event.id) &&
    isPrintable(event.type) &&
    isPrintable(event.source) &&
    isPrintable(event.subject) &&
    isPrintable(event.correlationid) &&
    typeof event.time === 'string' &&
    utcTime.test(event.time) &&
    (event.causationid === undefined || isPrintable(event.causationid)) &&
    (event.traceparent === undefined || isPrintable(event.traceparent)) &&
    (event.actor === undefined || isPrintable(event.actor)) &&
    event.dataversion === undefined
  )
}

function isPrintable(text: unknown): boolean {
  return typeof text === 'string' && text.length <= limits.attributeBytes && printable.test(text)
}

function assertEnvelope(event: Event): void {
  if (isPlain(event)) return
  const errors: FieldError[] = []
  for (const field of required) {
    const fault = event[field] === undefined ? 'is missing' : attributeFault(event[field])
    if (fault) errors.push({ field, message: fault })
  }
  for (const field of optional) {
    const fault = event[field] === undefined ? undefined : attributeFault(event[field])
    if (fault) errors.push({ field, message: fault })
  }
  if (typeof event.source === 'string' && /\s/.test(event.source))
    errors.push({ field: 'source', message: 'is a URI reference, without white space' })
  if (typeof event.time === 'string' && Number.isNaN(Date.parse(event.time)))
    errors.push({ field: 'time', message: 'is a time in ISO 8601' })
  if (event.dataversion !== undefined && !(Number.isInteger(event.dataversion) && event.dataversion >= 1))
    errors.push({ field: 'dataversion', message: 'is a whole number from 1' })
  if (errors.length > 0)
    throw new MillraceError(
      'event.invalid',
      `The envelope is wrong: ${errors.map((e) => `${e.field} ${e.message}`).join('; ')}`,
      { errors },
    )
}

function attributeFault(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'is not a text'
  if (value === '') return 'is empty'
  if (!value.isWellFormed()) return 'holds half of a surrogate pair'
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused here
  if (/[\u0000-\u001f\u007f]/.test(value)) return 'holds a control character'
  if (value.length * 3 > limits.attributeBytes && Buffer.byteLength(value) > limits.attributeBytes)
    return `is longer than ${limits.attributeBytes} bytes`
  return undefined
}
