import type { StateWrite, StoredState } from '../stored-state.ts'

/** What operators remember of a key whose record was dropped: it is to be folded anew. No operator can be called so. */
const mark = '{"$dropped":{}}'

/** The record of a key that was dropped. */
export function droppedRecord(key: string, seq: number): StateWrite {
  return { key, seq, version: 0, state: '', ops: mark }
}

/** Whether a record is the mark of one that was dropped. */
export function isDropped(stored: Pick<StoredState, 'ops'>): boolean {
  return stored.ops === mark
}
