import {
  type EncodedEvent,
  type Event,
  type EventDraft,
  type FieldError,
  MillraceError,
  newEncodedEvent,
  newEvent,
  type Topic,
  upcast,
  versionOf,
} from '@millrace/event'
import { mediaType } from './json-body.ts'

/** Attributes that an event may bring; `subject` is its key. */
const known = new Set(
  (
    'specversion id source type subject time datacontenttype dataschema data ' +
    'dataversion correlationid causationid traceparent actor'
  ).split(' '),
)

/** Attributes that are read over: they come from an answer of ours, or belong to the way here. */
const readOver = new Set(['position', 'cursor', 'tracestate'])

/** What an event gets that brings none of its own. */
export interface EventDefaults {
  readonly correlationId: string
  readonly traceparent: string
}

/**
 * Makes an event of the topic out of a CloudEvent in JSON (CloudEvents 1.0, structured mode).
 *
 * @throws MillraceError `event.invalid` with one entry a field, `type.unknown`, `json.invalid`
 */
export function eventOfCloudEvent(topic: Topic, value: unknown, defaults: EventDefaults): Event {
  const draft = draftOfCloudEvent(value, defaults)
  return readable(topic, draft, newEvent(topic, draft))
}

/** The same with the JSON that lies on the log, for whoever appends it at once. @throws MillraceError `event.too-large` too */
export function encodedOfCloudEvent(topic: Topic, value: unknown, defaults: EventDefaults): EncodedEvent {
  const draft = draftOfCloudEvent(value, defaults)
  const made = newEncodedEvent(topic, draft)
  readable(topic, draft, made.event)
  return made
}

function draftOfCloudEvent(value: unknown, defaults: EventDefaults): Draft {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new MillraceError('event.invalid', 'A CloudEvent is a JSON object')
  const given = value as Readonly<Record<string, unknown>>
  const errors = attributeErrors(given)
  if (errors.length > 0) throw invalid(errors)
  const version = versionIn(given)
  const draft = draftOf(given, defaults)
  if (version !== undefined) draft.version = version
  return draft
}

// A new event is validated in its present version only; an older one must be readable by the topic's upcasters.
function readable(topic: Topic, { version, type }: EventDraft, event: Event): Event {
  if (version !== undefined && version !== versionOf(topic, type)) checkOldVersion(topic, event)
  return event
}

/** An event as CloudEvent in JSON. @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md */
export function cloudEventOf(event: Event): Record<string, unknown> {
  return { specversion: '1.0', ...event, datacontenttype: 'application/json' }
}

/** The attributes that binary mode has in its headers: `ce-id` and the like, percent-encoded. */
export function attributesInHeaders(headers: Headers): Record<string, string> {
  const attributes: Record<string, string> = {}
  headers.forEach((value, name) => {
    if (name.startsWith('ce-')) attributes[name.slice(3)] = percentDecoded(value)
  })
  return attributes
}

function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch (cause) {
    throw new MillraceError('request.malformed', 'A ce- header has an invalid percent-encoding', { cause })
  }
}

function attributeErrors(given: Readonly<Record<string, unknown>>): FieldError[] {
  const errors: FieldError[] = []
  const fault = (field: string, message: string): void => void errors.push({ field, message })
  if (given['specversion'] !== '1.0') fault('specversion', 'must be "1.0"')
  for (const field of needed)
    if (given[field] === undefined)
      fault(field, field === 'subject' ? 'is missing; it is the key of the event' : 'is missing')
  for (const field of Object.keys(given)) {
    const value = given[field]
    if (field === 'data' || field === 'specversion' || readOver.has(field)) continue
    if (field === 'data_base64') fault(field, 'is not taken; send JSON in data')
    else if (!known.has(field)) fault(field, 'is not known here')
    else if (field === 'dataversion') {
      if (!/^[1-9]\d{0,8}$/.test(String(value))) fault(field, 'must be a whole number from 1')
    } else if (typeof value !== 'string') fault(field, 'must be a text')
  }
  const type = given['datacontenttype']
  if (typeof type === 'string' && !/[/+]json$/.test(mediaType(type))) fault('datacontenttype', 'must be JSON')
  const schema = given['dataschema']
  if (typeof schema === 'string' && given['dataversion'] === undefined && !versionPattern.test(schema))
    fault('dataschema', 'must end with the version of the data, such as /v2')
  return errors
}

const needed = ['id', 'source', 'type', 'subject']
const versionPattern = /[/#:.]v?([1-9]\d{0,8})$/

function versionIn(given: Readonly<Record<string, unknown>>): number | undefined {
  const schema = given['dataschema']
  const version =
    given['dataversion'] ?? (typeof schema === 'string' ? versionPattern.exec(schema)?.[1] : undefined)
  return version === undefined ? undefined : Number(version)
}

function textIn(given: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = given[name]
  return typeof value === 'string' ? value : undefined
}

function draftOf(given: Readonly<Record<string, unknown>>, defaults: EventDefaults): Draft {
  const draft: Draft = {
    type: textIn(given, 'type') ?? '',
    key: textIn(given, 'subject') ?? '',
    data: given['data'],
    correlationId: textIn(given, 'correlationid') ?? defaults.correlationId,
    traceparent: textIn(given, 'traceparent') ?? defaults.traceparent,
  }
  for (const [attribute, member] of optional) {
    const text = textIn(given, attribute)
    if (text !== undefined) draft[member] = text
  }
  return draft
}

type Draft = { -readonly [Name in keyof EventDraft]: EventDraft[Name] }

/** Attributes that a draft may lack, and what they are called there. */
const optional = [
  ['id', 'id'],
  ['source', 'source'],
  ['time', 'time'],
  ['causationid', 'causationId'],
  ['actor', 'actor'],
] as const

function checkOldVersion(topic: Topic, event: Event): void {
  try {
    upcast(topic, event)
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'upcaster.failed') throw error
    throw invalid([{ field: 'dataversion', message: error.message }])
  }
}

function invalid(errors: readonly FieldError[]): MillraceError {
  const list = errors.map(({ field, message }) => `${field} ${message}`).join('; ')
  return new MillraceError('event.invalid', `The event is wrong: ${list}`, { errors })
}
