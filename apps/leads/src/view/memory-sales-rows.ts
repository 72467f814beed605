import { createMemoryViewStore, type ViewStore } from '@millrace/view'
import { sales } from '../sales-topic.ts'
import type { CallTaskRow, LeadRow, SalesRows } from './sales-rows.ts'

interface SalesState {
  readonly leads: Map<string, LeadRow>
  readonly tasks: Map<string, CallTaskRow>
}

/** Makes the view's data in memory, empty. */
export function createMemorySalesView(): ViewStore<SalesRows> {
  return createMemoryViewStore<SalesState, SalesRows>({
    partitions: sales.partitions,
    initial: () => ({ leads: new Map(), tasks: new Map() }),
    transaction: rowsIn,
  })
}

function rowsIn({ leads, tasks }: SalesState): SalesRows {
  return {
    leadsOf: async (buyers) => buyers.flatMap((buyer) => leads.get(buyer) ?? []),
    putLead: async (row) => void leads.set(row.buyer, row),
    task: async (id) => tasks.get(id),
    putTask: async (row) => void tasks.set(row.id, row),
    touchedAfter: async (partition, seq) =>
      [...leads.values()]
        .filter((row) => row.partition === partition && row.lastSeq > seq)
        .map(({ buyer }) => buyer),
    remove: async (buyers) => {
      for (const buyer of buyers) leads.delete(buyer)
      for (const { id, buyer } of tasks.values()) if (buyers.includes(buyer)) tasks.delete(id)
    },
    leads: async ({ low, high, car }, { cursor = '', limit }) =>
      [...leads.values()]
        .filter((row) => low === undefined || row.low === low)
        .filter((row) => high === undefined || row.high.length > 0 === high)
        .filter((row) => car === undefined || row.high.includes(car))
        .filter(({ buyer }) => buyer > cursor)
        .toSorted((a, b) => (a.buyer < b.buyer ? -1 : 1))
        .slice(0, limit),
    tasks: async ({ state, buyer }, { cursor = '', limit }) =>
      [...tasks.values()]
        .filter((row) => state === undefined || row.state === state)
        .filter((row) => buyer === undefined || row.buyer === buyer)
        .filter(({ id }) => id > cursor)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
  }
}
