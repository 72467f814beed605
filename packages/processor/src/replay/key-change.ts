import { MillraceError } from '@millrace/event'
import type { TimerSetting } from '../key-timer.ts'
import { encodeRecord, type KeyRecord, type StoredRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import type { StateWrite } from '../stored-state.ts'

/** What a commit says of a key whose record was folded on: its state, and its timers where they have changed. */
export interface KeyChange {
  readonly state: StateWrite | undefined
  readonly timers: readonly TimerSetting[]
}

/** @throws MillraceError `replay.failed`: the record is too large */
export function changeOf(
  processor: Processor,
  key: string,
  seq: number,
  before: KeyRecord,
  after: KeyRecord,
): KeyChange {
  if (before === after) return { state: undefined, timers: [] }
  const { version, state, ops } = encoded(processor, key, after)
  const names = new Set([...Object.keys(before.ops), ...Object.keys(after.ops)])
  const timers = [...names].flatMap((name): TimerSetting[] => {
    const dueMs = after.ops[name]?.timer?.dueMs
    return dueMs === before.ops[name]?.timer?.dueMs ? [] : [{ key, name, dueMs }]
  })
  return { state: { key, seq, version, state, ops }, timers }
}

function encoded(processor: Processor, key: string, record: KeyRecord): StoredRecord {
  try {
    return encodeRecord(processor, record)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new MillraceError('replay.failed', `Key ${key}: ${message}`, { cause, details: { key } })
  }
}
