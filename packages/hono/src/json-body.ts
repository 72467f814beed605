import { MillraceError, type OutputOf, parseJson, type Schema } from '@millrace/event'
import type { Context, MiddlewareHandler } from 'hono'
import { resolver, uniqueSymbol } from 'hono-openapi'
import { type BodyLimits, readText } from './body.ts'
import { headerOf, type KitEnv } from './environment.ts'
import { checkFields } from './fields.ts'

/** What {@link jsonBody} leaves for `c.req.valid('json')`. */
export interface JsonInput<S extends Schema> {
  in: { json: OutputOf<S> }
  out: { json: OutputOf<S> }
}

/**
 * Takes a JSON body that is safe and fits the schema; handlers find it under `c.req.valid('json')`.
 * The OpenAPI document learns of it by itself.
 *
 * Answers 415 for another content type, 400 `json.invalid` for what is not JSON, not UTF-8, nested too deep or
 * has prototype keys, 400 `request.invalid` with one entry a field, 413 and 408 as {@link readBody}.
 */
export function jsonBody<S extends Schema, P extends string>(
  schema: S,
  limits: BodyLimits = {},
): MiddlewareHandler<KitEnv, P, JsonInput<S>> {
  const middleware: MiddlewareHandler<KitEnv, P, JsonInput<S>> = async (c, next) => {
    const value = await readJson(c, limits)
    c.req.addValidatedData('json', (await checkFields(schema, value)) as object)
    await next()
  }
  return Object.assign(middleware, {
    [uniqueSymbol]: { target: 'json' as const, ...resolver(schema, asInput), options: undefined },
  })
}

// The document shows what a client sends, before the schema's transformations.
const asInput = { options: { io: 'input' } }

/**
 * Reads a JSON body without a schema.
 *
 * @throws MillraceError `request.media-type`, `json.invalid` and those of {@link readBody}
 */
export async function readJson<E extends KitEnv>(c: Context<E>, limits?: BodyLimits): Promise<unknown> {
  assertJsonType(headerOf(c, 'content-type'))
  return safeJson(await readText(c, limits))
}

/** Refuses what is not declared as JSON. @throws MillraceError `request.media-type` */
export function assertJsonType(contentType: string | undefined): void {
  const type = mediaType(contentType)
  if (type !== json && !type.endsWith('+json'))
    throw new MillraceError(
      'request.media-type',
      `The content type must be application/json${type ? `, not ${type.slice(0, 80)}` : ''}`,
    )
}

/**
 * Parses JSON from outside. Beside what {@link parseJson} refuses, no text may hold U+0000: PostgreSQL cannot
 * store it, and a service that takes it fails later with 500.
 *
 * @throws MillraceError `json.invalid`
 */
export function safeJson(text: string): unknown {
  const value = parseJson(text)
  // A NUL can only come through its escape: JSON.parse refuses the raw character.
  if (text.includes('\\u0000')) refuseNul(value)
  return value
}

// What nearly every body is declared as.
const json = 'application/json'

/** The media type without its parameters, in lower case; empty when there is none. */
export function mediaType(header: string | undefined): string {
  if (header === json) return json
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function refuseNul(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new MillraceError('json.invalid', 'A text holds the character U+0000')
  } else if (Array.isArray(value)) {
    for (const item of value) refuseNul(item)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      refuseNul(name)
      refuseNul(item)
    }
  }
}
