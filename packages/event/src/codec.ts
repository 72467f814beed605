import { systemClock, type Clock } from './clock.ts'
import { type FieldError, MillraceError } from './error.ts'
import type { Event, EventDraft } from './event.ts'
import { freshId } from './ids.ts'
import { assertSafe, isSafeText, parseJson } from './json.ts'
import { limits } from './limits.ts'
import { validate } from './schema.ts'
import { presentOf, type Topic } from './topic.ts'

/**
 * Makes an event out of a draft: fills in what the producer left out and checks everything.
 *
 * @throws MillraceError `type.unknown`, `event.invalid`
 */
export function newEvent(topic: Topic, draft: EventDraft, clock: Clock = systemClock): Event {
  const event = drafted(topic, draft, clock)
  assertEnvelope(event)
  assertSafe(event.data)
  return event
}

/** An event and the JSON that lies on the log. */
export interface EncodedEvent {
  readonly event: Event
  readonly text: string
}

/** An event that was made for a topic. */
export interface DraftedEvent extends EncodedEvent {
  readonly topic: Topic
}

/**
 * What {@link newEvent} and {@link encodeEvent} make of a draft, in half of the time: each attribute is looked at once.
 *
 * @throws MillraceError `type.unknown`, `event.invalid`, `event.too-large`
 */
export function newEncodedEvent(topic: Topic, draft: EventDraft, clock: Clock = systemClock): DraftedEvent {
  const event = drafted(topic, draft, clock)
  const after = event.time === lastTime || utcTime.test(event.time) ? plainAfter(event) : undefined
  const before = after === undefined ? undefined : plainBefore(event)
  if (before === undefined || after === undefined) {
    assertEnvelope(event)
    assertSafe(event.data)
    return new MadeText(topic, event, encodeEvent(topic, event))
  }
  const data = JSON.stringify(event.data) as string | undefined
  if (data === undefined || !isSafeText(data)) assertSafe(event.data)
  // JSON may have no word for the data.
  const text = data === undefined ? JSON.stringify(event) : before + data + after
  assertFits(topic, text)
  return new MadeText(topic, event, text)
}

function drafted(topic: Topic, draft: EventDraft, clock: Clock): Writable<Event> {
  const id = draft.id ?? freshId()
  const present = presentOf(topic, draft.type)
  const version = draft.version ?? present.version
  const data = version === present.version ? validate(present.schema, draft.data, draft.type) : draft.data
  // Members are added one by one: a spread for each that may be absent takes as long as all the checks.
  const source = draft.source ?? sourceOf(topic)
  const event: Writable<Event> = new MadeEvent(id, draft, source, draft.time ?? isoTime(clock.now()), data)
  if (version > 1) event.dataversion = version
  if (draft.causationId !== undefined) event.causationid = draft.causationId
  if (draft.traceparent !== undefined) event.traceparent = draft.traceparent
  if (draft.actor !== undefined) event.actor = draft.actor
  return event
}

// A class, no literal: V8 puts what a literal makes into the old generation once much of it has lived on, and all that such
// things name then stays until the whole heap is collected. It took a third of all processor time of emitting.
class MadeEvent implements Event {
  readonly id: string
  readonly type: string
  readonly source: string
  readonly subject: string
  readonly time: string
  readonly data: unknown
  readonly correlationid: string

  constructor(id: string, draft: EventDraft, source: string, time: string, data: unknown) {
    this.id = id
    this.type = draft.type
    this.source = source
    this.subject = draft.key
    this.time = time
    this.data = data
    this.correlationid = draft.correlationId ?? id
  }
}

class MadeText implements DraftedEvent {
  readonly topic: Topic
  readonly event: Event
  readonly text: string

  constructor(topic: Topic, event: Event, text: string) {
    this.topic = topic
    this.event = event
    this.text = text
  }
}

let lastTopic = ''
let lastSource = ''

// The same text for events that are made one after the other is looked at once.
function sourceOf({ name }: Topic): string {
  if (name !== lastTopic) {
    lastSource = `/millrace/${name}`
    lastTopic = name
  }
  return lastSource
}

let lastMs = 0
let lastTime = '1970-01-01T00:00:00.000Z'

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
  assertFits(topic, json)
  return json
}

function assertFits(topic: Topic, json: string): void {
  const most = topic.maxEventBytes ?? limits.eventBytes
  // A UTF-16 unit is at most three bytes: most texts need no count.
  if (json.length * 3 > most && Buffer.byteLength(json) > most)
    throw new MillraceError(
      'event.too-large',
      `The event has ${Buffer.byteLength(json)} bytes; topic ${topic.name} takes ${most}`,
    )
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

// To begin with any that are right.
let plainType = 'none'
let plainSource = '/'
let plainTime = '1970-01-01T00:00:00.000Z'

// Each event is looked at when it is made, appended and read, and nearly every envelope is printable ASCII: that
// is told in 0.2 µs, where the exact look takes 0.7. What is as in the event before is not looked at again.
function isPlain(event: Event): boolean {
  const { id, type, source, time, correlationid } = event
  if (type !== plainType) {
    if (!isPrintable(type)) return false
    plainType = type
  }
  if (source !== plainSource) {
    if (!isPrintable(source)) return false
    plainSource = source
  }
  if (time !== plainTime) {
    if (typeof time !== 'string' || !utcTime.test(time)) return false
    plainTime = time
  }
  return (
    isPrintable(id) &&
    isPrintable(event.subject) &&
    (correlationid === id || isPrintable(correlationid)) &&
    (event.causationid === undefined || isPrintable(event.causationid)) &&
    (event.traceparent === undefined || isPrintable(event.traceparent)) &&
    (event.actor === undefined || isPrintable(event.actor)) &&
    event.dataversion === undefined
  )
}

// What JSON leaves as it is, of what is printable.
const verbatim = /^[!#-[\]-~]+$/

let lastType: string | undefined
let lastOfType: string | undefined
let lastHead = ''
let lastStamp = ''
let lastOfStamp: string | undefined

// A text out of few pieces: each is an object until the text is written, and then it is put together piece by piece.

// An event as JSON up to its data; undefined where one of the attributes there needs a closer look.
function plainBefore({ id, type, source, subject, time }: Event): string | undefined {
  if (type !== lastType || source !== lastOfType) {
    if (!isVerbatim(type) || !isVerbatim(source)) return undefined
    lastHead = `","type":"${type}","source":"${source}","subject":"`
    lastType = type
    lastOfType = source
  }
  if (time !== lastOfStamp) {
    lastStamp = `","time":"${time}","data":`
    lastOfStamp = time
  }
  if (!isVerbatim(id) || !isVerbatim(subject)) return undefined
  return `{"id":"${id}${lastHead}${subject}${lastStamp}`
}

// An event as JSON behind its data.
function plainAfter({
  correlationid,
  causationid,
  traceparent,
  actor,
  dataversion,
}: Event): string | undefined {
  if (dataversion !== undefined || !isVerbatim(correlationid)) return undefined
  if (causationid !== undefined && causationid !== correlationid && !isVerbatim(causationid)) return undefined
  if (traceparent === undefined && actor === undefined)
    return causationid === undefined
      ? `,"correlationid":"${correlationid}"}`
      : `,"correlationid":"${correlationid}","causationid":"${causationid}"}`
  if (traceparent !== undefined && !isVerbatim(traceparent)) return undefined
  if (actor !== undefined && !isVerbatim(actor)) return undefined
  const caused = causationid === undefined ? '' : `,"causationid":"${causationid}"`
  const traced = traceparent === undefined ? '' : `,"traceparent":"${traceparent}"`
  return `,"correlationid":"${correlationid}"${caused}${traced}${actor === undefined ? '}' : `,"actor":"${actor}"}`}`
}

function isVerbatim(text: unknown): boolean {
  return typeof text === 'string' && text.length <= limits.attributeBytes && verbatim.test(text)
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
