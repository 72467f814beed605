import { derivedId } from './ids.ts'
import { randomHex } from './random-hex.ts'

// version - trace id - parent (span) id - flags; https://www.w3.org/TR/trace-context/#traceparent-header
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/

/** The parts of a W3C trace context (`traceparent`). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** Somebody upstream has decided that the trace is recorded. */
  readonly sampled: boolean
}

/** Reads a `traceparent`; undefined for none, and for one that is malformed. */
export function traceContextOf(traceparent: string | undefined): TraceContext | undefined {
  const found = traceparent === undefined ? null : pattern.exec(traceparent)
  const [, traceId, spanId, flags] = found ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** Whether a trace is recorded: a look at one character, for where each microsecond counts. */
export function isSampled(traceparent: string | undefined): traceparent is string {
  // What lies on the log may be anything.
  if (typeof traceparent !== 'string' || traceparent.length < 55) return false
  const last = traceparent.charCodeAt(54)
  // The lowest bit of a hexadecimal digit; among the letters, `b`, `d` and `f` are odd.
  return (last < 58 ? last & 1 : ~last & 1) === 1
}

/** Decides whether a trace is recorded: by its id, and by what the caller has decided, if there is one. */
export type TraceSampler = (traceId: string, byCaller: boolean | undefined) => boolean

/**
 * The trace context of what comes in by a door: the caller's trace with a span id of our own, or a new trace when the
 * caller sent none or one that is malformed. Without a sampler the caller's decision is kept, and a new trace is not
 * recorded.
 */
export function continueTrace(given: string | undefined, sampler?: TraceSampler): string {
  const found = given === undefined ? null : pattern.exec(given)
  const traceId = found?.[1] ?? randomHex(32)
  if (sampler === undefined) return `00-${traceId}-${randomHex(16)}-${found?.[3] ?? '00'}`
  const byCaller = found === null ? undefined : isSampled(given)
  return `00-${traceId}-${randomHex(16)}-${sampler(traceId, byCaller) ? '01' : '00'}`
}

/** A span below this one: the same trace and decision, a span id of its own. */
export function childTrace(traceparent: string): string {
  return `${traceparent.slice(0, 36)}${randomHex(16)}${traceparent.slice(52, 55)}`
}

/**
 * The recorded trace that belongs to an id, such as that of an order to repair, and in it the span of these parts:
 * whoever knows them comes to the same, wherever and whenever.
 */
export function derivedTrace(id: string, ...parts: readonly string[]): string {
  const spanId = digitsOf(derivedId('span', id, ...parts)).slice(16)
  return `00-${digitsOf(derivedId('trace', id))}-${spanId}-01`
}

function digitsOf(id: string): string {
  return id.replaceAll('-', '')
}
