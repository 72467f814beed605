import { MillraceError, validate } from '@millrace/event'
import type { Processor } from './processor.ts'
import { defaultStateBytes } from './state.ts'

/** What a group keeps of a key: its folded state and what durable operators remember. Never changed, only replaced. */
export interface KeyRecord {
  /** Undefined before the first `evolve`. */
  readonly state: unknown
  /** By name of the operator. */
  readonly ops: Readonly<Record<string, OperatorMemory>>
}

/** What a durable operator remembers of a key. JSON. */
export interface OperatorMemory {
  readonly timer?: KeptTimer
  readonly data?: unknown
}

/** The timer that an operator has set, and what led to it. */
export interface KeptTimer {
  readonly dueMs: number
  readonly cause: Cause
}

/** Where outcomes come from: what ids, correlation and traces of emits and effects derive from. */
export interface Cause {
  /** What ids derive from: the event's, or the firing's. */
  readonly id: string
  /** The event that led to it. */
  readonly eventId: string
  readonly correlationid: string
  readonly traceparent?: string
}

/** The record of a key that has none yet. */
export const emptyRecord: KeyRecord = { state: undefined, ops: {} }

/** A record as it lies in the store: version of the state, and two texts of JSON, empty where there is nothing. */
export interface StoredRecord {
  readonly version: number
  readonly state: string
  readonly ops: string
}

/**
 * Reads a stored record: migrates the state to its present version and checks it.
 *
 * @throws MillraceError `state.invalid`
 */
export function decodeRecord(processor: Processor, stored: StoredRecord): KeyRecord {
  const { name, state: definition } = processor
  const ops = stored.ops === '' ? emptyRecord.ops : (JSON.parse(stored.ops) as KeyRecord['ops'])
  if (stored.state === '') return { state: undefined, ops }
  const refuse = (why: string, cause?: unknown) =>
    new MillraceError('state.invalid', `A state of ${name}: ${why}`, { cause })
  if (definition === undefined) throw refuse('this program declares none')
  if (stored.version > definition.version)
    throw refuse(`it has version ${stored.version}; this program knows ${definition.version}`)
  let state: unknown = JSON.parse(stored.state)
  try {
    for (let from = stored.version; from < definition.version; from++)
      state = definition.migrate[from]?.(state)
  } catch (cause) {
    throw refuse(`its migration from version ${stored.version} failed`, cause)
  }
  if (definition.schema === undefined) return { state, ops }
  try {
    return { state: validate(definition.schema, state, `The state of ${name}`), ops }
  } catch (cause) {
    throw refuse('it breaks its schema', cause)
  }
}

/**
 * Writes a record for the store.
 *
 * @throws MillraceError `state.too-large`
 */
export function encodeRecord(processor: Processor, record: KeyRecord): StoredRecord {
  const state = record.state === undefined ? '' : JSON.stringify(record.state)
  const ops = record.ops === emptyRecord.ops ? '' : opsText(record.ops)
  const most = processor.state?.maxBytes ?? defaultStateBytes
  // A UTF-16 unit is at most three bytes: most texts need no count.
  if ((state.length + ops.length) * 3 > most) {
    const bytes = Buffer.byteLength(state) + Buffer.byteLength(ops)
    if (bytes > most)
      throw new MillraceError(
        'state.too-large',
        `The record of a key of ${processor.name} has ${bytes} bytes; at most ${most}`,
        { details: { bytes, most } },
      )
  }
  return { version: processor.state?.version ?? 1, state, ops }
}

function opsText(ops: KeyRecord['ops']): string {
  return Object.keys(ops).length === 0 ? '' : JSON.stringify(ops)
}
