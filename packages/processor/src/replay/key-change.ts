import type { TimerSetting } from '../key-timer.ts'
import { encodeRecord, type KeyRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import type { StateWrite } from '../stored-state.ts'

/** What a commit says of a key whose record was folded on: its state, and its timers where they have changed. */
export interface KeyChange {
  readonly state: StateWrite | undefined
  readonly timers: readonly TimerSetting[]
}

/** @throws MillraceError `state.too-large` */
export function changeOf(
  processor: Processor,
  key: string,
  seq: number,
  before: KeyRecord,
  after: KeyRecord,
): KeyChange {
  if (before === after) return { state: undefined, timers: [] }
  const { version, state, ops } = encodeRecord(processor, after)
  const names = new Set([...Object.keys(before.ops), ...Object.keys(after.ops)])
  const timers = [...names].flatMap((name): TimerSetting[] => {
    const dueMs = after.ops[name]?.timer?.dueMs
    return dueMs === before.ops[name]?.timer?.dueMs ? [] : [{ key, name, dueMs }]
  })
  return { state: { key, seq, version, state, ops }, timers }
}
