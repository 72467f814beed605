import type { GroupPartition, GroupStore } from '../group-store.ts'
import type { KeyRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import { recordOfMigration } from '../model/taken-over.ts'

/**
 * What keys begin with that were taken over from another system, as the journal of their migrations has it: nobody is
 * asked again. Of the others nothing.
 *
 * @throws MillraceError `state.invalid`
 */
export async function beginningsOf(
  processor: Processor,
  store: Pick<GroupStore, 'migrations'>,
  live: GroupPartition,
  keys: readonly string[],
): Promise<ReadonlyMap<string, KeyRecord>> {
  if (processor.state === undefined || keys.length === 0) return new Map()
  const entries = await store.migrations(live, keys)
  return new Map([...entries].map(([key, entry]) => [key, recordOfMigration(processor, entry)]))
}
