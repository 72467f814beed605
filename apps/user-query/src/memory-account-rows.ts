import { accounts } from '@millrace/accounts'
import { createMemoryViewStore, type ViewStore } from '@millrace/view'
import type { AccountRow, AccountRows, SignUpCount, SignUpsBy } from './account-rows.ts'

interface AccountState {
  readonly accounts: Map<string, AccountRow>
  /** Count by JSON of partition, day and host. */
  readonly signUps: Map<string, number>
}

/** Makes the view's data in memory, empty. */
export function createMemoryAccountView(): ViewStore<AccountRows> {
  return createMemoryViewStore<AccountState, AccountRows>({
    partitions: accounts.partitions,
    initial: () => ({ accounts: new Map(), signUps: new Map() }),
    transaction: rowsIn,
  })
}

function rowsIn(state: AccountState): AccountRows {
  return {
    load: async (ids) => ids.flatMap((id) => state.accounts.get(id) ?? []),
    get: async (id) => state.accounts.get(id),
    put: async (row) => void state.accounts.set(row.id, row),
    remove: async (id) => void state.accounts.delete(id),
    touchedAfter: async (partition, seq) =>
      [...state.accounts.values()].filter((row) => row.partition === partition && row.lastSeq > seq),
    countSignUp: async ({ partition, day, host }, by) => {
      const name = JSON.stringify([partition, day, host])
      state.signUps.set(name, (state.signUps.get(name) ?? 0) + by)
    },
    signUps: async (by, limit) => summed(state.signUps, by).slice(...(by === 'day' ? [-limit] : [0, limit])),
  }
}

function summed(signUps: ReadonlyMap<string, number>, by: SignUpsBy): readonly SignUpCount[] {
  const sums = new Map<string, number>()
  for (const [name, count] of signUps) {
    const [, day, host] = JSON.parse(name) as [number, string, string]
    const of = by === 'day' ? day : host
    sums.set(of, (sums.get(of) ?? 0) + count)
  }
  const counts = [...sums].map(([of, count]) => ({ of, count })).filter(({ count }) => count > 0)
  return counts.toSorted((a, b) => (by === 'host' && b.count - a.count) || (a.of < b.of ? -1 : 1))
}
