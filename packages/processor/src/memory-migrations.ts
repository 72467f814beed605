import type { Commit, CommitFault } from './commit.ts'
import type { MemoryGroup } from './memory-group.ts'
import type { MigratedKey } from './migrated-key.ts'

/** A key is taken over once. */
export function judgeMigrations(
  group: MemoryGroup,
  { migrations = [] }: Commit,
  refuse: (fault: CommitFault, seq: number) => Error,
): void {
  for (const { key, seq } of migrations) if (group.migrations.has(key)) throw refuse('migrated', seq)
}

export function writeMigrations(group: MemoryGroup, { migrations = [] }: Commit): void {
  for (const one of migrations) group.migrations.set(one.key, JSON.stringify(one))
}

function readMigration(text: string): MigratedKey {
  const { asOf, id, ...rest } = JSON.parse(text) as MigratedKey
  return { ...rest, id, asOf }
}

export function migrationsInMemory(
  group: MemoryGroup,
  keys: readonly string[],
): ReadonlyMap<string, MigratedKey> {
  const found = new Map<string, MigratedKey>()
  for (const key of keys) {
    const text = group.migrations.get(key)
    if (text !== undefined) found.set(key, readMigration(text))
  }
  return found
}
