import { limits, MillraceError } from '@millrace/event'
import { readBody, refuseCompressed, refuseDeclared, utf8 } from './body.ts'
import { attributesInHeaders } from './cloud-event.ts'
import type { KitContext } from './environment.ts'
import { mediaType, safeJson } from './json-body.ts'
import { readLines } from './json-lines.ts'

/** Bounds of one request to the intake. */
export interface IntakeLimits {
  /** Bytes of a body that is read whole: one event or an array. Default 4 MiB. */
  readonly maxBodyBytes: number
  /** Bytes of a body of lines. Default 64 MiB. */
  readonly maxLinesBytes: number
  /** Events of one request. Default 10,000. */
  readonly maxEvents: number
  /** Time for a whole body, or for each piece of a body of lines, in ms. Default 10,000. */
  readonly timeoutMs: number
}

/** The bounds where none are stated. */
export const defaultIntakeLimits: IntakeLimits = {
  maxBodyBytes: 4 * 1024 * 1024,
  maxLinesBytes: 64 * 1024 * 1024,
  maxEvents: 10_000,
  timeoutMs: 10_000,
}

/** One event as it came: its value, or why it could not be read. */
export interface IntakeItem {
  /** Line of a body of lines, else place in the array, from 1. */
  readonly line: number
  readonly value: unknown
  readonly error?: MillraceError
}

const lineTypes = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl'])
const types =
  'application/cloudevents+json, application/cloudevents-batch+json, application/json or application/x-ndjson'

/** Whether the request carries one event by its form; then its refusal is the answer. */
export function isSingle(c: KitContext): boolean {
  return (
    mediaType(c.req.header('content-type')) === 'application/cloudevents+json' ||
    c.req.header('ce-specversion') !== undefined
  )
}

/**
 * The events of a request in order, read as they are asked for.
 *
 * @throws MillraceError `request.media-type`, `json.invalid`, `request.too-large`, `request.slow`,
 *   `request.malformed`, `append.limit`
 */
export async function* intakeItems(c: KitContext, bounds: IntakeLimits): AsyncGenerator<IntakeItem> {
  const type = mediaType(c.req.header('content-type'))
  if (lineTypes.has(type)) {
    yield* linesOf(c, bounds)
    return
  }
  if (type !== 'application/json' && !type.endsWith('+json'))
    throw new MillraceError('request.media-type', `The content type must be ${types}`)
  const value = safeJson(
    utf8(await readBody(c, { maxBytes: bounds.maxBodyBytes, timeoutMs: bounds.timeoutMs })),
  )
  if (c.req.header('ce-specversion') !== undefined) {
    yield { line: 1, value: { ...attributesInHeaders(c.req.raw.headers), data: value } }
  } else if (Array.isArray(value) && type !== 'application/cloudevents+json') {
    if (value.length > bounds.maxEvents) throw tooMany(bounds)
    for (const [at, item] of value.entries()) yield { line: at + 1, value: item as unknown }
  } else if (type === 'application/cloudevents-batch+json') {
    throw new MillraceError('event.invalid', 'A batch is a JSON array of CloudEvents')
  } else yield { line: 1, value }
}

async function* linesOf(c: KitContext, bounds: IntakeLimits): AsyncGenerator<IntakeItem> {
  refuseDeclared(c, bounds.maxLinesBytes)
  refuseCompressed(c)
  let count = 0
  const lines = readLines(c.req.raw.body, {
    // What is too large as an event is refused by the log in its own words; this only bounds the memory.
    maxLineBytes: limits.eventBytes * 2,
    maxBytes: bounds.maxLinesBytes,
    pieceTimeoutMs: bounds.timeoutMs,
  })
  for await (const { line, bytes } of lines) {
    count += 1
    if (count > bounds.maxEvents) throw tooMany(bounds)
    yield itemOf(line, bytes)
  }
}

function itemOf(line: number, bytes: Uint8Array | undefined): IntakeItem {
  try {
    if (!bytes)
      throw new MillraceError('event.too-large', `The line is longer than ${limits.eventBytes * 2} bytes`)
    return { line, value: safeJson(utf8(bytes)) }
  } catch (error) {
    if (error instanceof MillraceError) return { line, value: undefined, error }
    throw error
  }
}

function tooMany(bounds: IntakeLimits): MillraceError {
  return new MillraceError('append.limit', `A request has at most ${bounds.maxEvents} events`)
}
