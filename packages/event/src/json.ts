import { MillraceError } from './error.ts'
import { limits } from './limits.ts'

/** Bounds of {@link parseJson}. */
export interface JsonBounds {
  /** Nesting of arrays and objects. Default 32. */
  readonly depth?: number
  /** Length of the text in UTF-16 units. Default: no bound here, the body limit bounds it. */
  readonly length?: number
}

const forbidden = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Parses JSON from outside: bounded depth and length, no prototype keys, no lone surrogates.
 *
 * @throws MillraceError `json.invalid`
 */
export function parseJson(text: string, bounds: JsonBounds = {}): unknown {
  if (bounds.length !== undefined && text.length > bounds.length)
    throw new MillraceError('json.invalid', `The JSON is longer than ${bounds.length} characters`)
  const depth = bounds.depth ?? limits.jsonDepth
  if (mayBeDeeperThan(text, depth) && deeperThan(text, depth))
    throw new MillraceError('json.invalid', `The JSON is nested deeper than ${depth}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new MillraceError('json.invalid', 'The text is not JSON', { cause })
  }
  if (!isSafeText(text) || !text.isWellFormed()) assertSafe(value)
  return value
}

const suspicious = /\\u|__proto__|constructor|prototype/

/**
 * Whether a well-formed JSON text is one of which nothing can come that {@link assertSafe} refuses. To look at the text is
 * cheaper than to walk the value; false says nothing.
 */
export function isSafeText(text: string): boolean {
  return !suspicious.test(text)
}

/** Walks a parsed value and refuses prototype keys and text that is not well-formed Unicode. */
export function assertSafe(value: unknown): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      throw new MillraceError('json.invalid', 'A text holds half of a surrogate pair')
  } else if (Array.isArray(value)) {
    for (const item of value) assertSafe(item)
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      if (forbidden.has(key)) throw new MillraceError('json.invalid', `The name "${key}" is not allowed`)
      if (!key.isWellFormed())
        throw new MillraceError('json.invalid', 'A name holds half of a surrogate pair')
      assertSafe((value as Record<string, unknown>)[key])
    }
  }
}

// No text is nested deeper than it has brackets, in quotes or not; most have few, which is soon told.
function mayBeDeeperThan(text: string, depth: number): boolean {
  let brackets = 0
  for (const bracket of ['{', '['])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
      if (++brackets > depth) return true
  return false
}

// Before JSON.parse, because V8 parses deep nesting with a deep stack.
function deeperThan(text: string, depth: number): boolean {
  let open = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (quoted) {
      if (char === 0x5c) at++
      else if (char === 0x22) quoted = false
    } else if (char === 0x22) quoted = true
    else if (char === 0x7b || char === 0x5b) {
      if (++open > depth) return true
    } else if (char === 0x7d || char === 0x5d) open--
  }
  return false
}
