import type { Recorded } from '@millrace/log'
import type { AsOf, MigratedKey } from '../migrated-key.ts'
import { decodeRecord, emptyRecord, encodeRecord, type KeyRecord } from './key-record.ts'
import type { Processor } from './processor.ts'

/** Where a record keeps up to when the state is told that its key was taken over with. No operator can be called so. */
const name = '$asOf'

/** The record that a key begins with, as the journal of migrations has it. @throws MillraceError `state.invalid` */
export function recordOfMigration(processor: Processor, { version, state, asOf }: MigratedKey): KeyRecord {
  const read = state === '' ? emptyRecord : decodeRecord(processor, { version, state, ops: '' })
  return asOf === undefined ? read : { state: read.state, ops: { [name]: { data: asOf } } }
}

/** The text of a state that is taken over. @throws MillraceError `state.too-large` */
export function textOfState(processor: Processor, state: unknown): { version: number; state: string } {
  const { version, state: text } = encodeRecord(processor, { state, ops: emptyRecord.ops })
  return { version, state: text }
}

/** Up to when the state is told that the key was taken over with; undefined: it was not. */
export function asOfOf({ ops }: KeyRecord): AsOf | undefined {
  return ops === emptyRecord.ops ? undefined : (ops[name]?.data as AsOf | undefined)
}

/** Whether what was taken over has the event already. */
export function isBeforeSnapshot(asOf: AsOf, { event, position }: Recorded): boolean {
  return 'seq' in asOf ? position.seq <= asOf.seq : Date.parse(event.time) <= asOf.ms
}
