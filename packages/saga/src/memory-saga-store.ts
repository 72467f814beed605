import { randomUUID } from 'node:crypto'
import { firstRecord, type SagaRecord, type SagaStore } from './saga-store.ts'

interface Kept {
  record: SagaRecord
  token: string
  heldUntilMs: number
}

/** Sagas in memory, gone with the process: for tests. */
export function createMemorySagaStore(): SagaStore {
  const sagas = new Map<string, Kept>()
  const isOpen = ({ state }: SagaRecord) => state === 'running' || state === 'undoing'
  return {
    begin: async (draft) => {
      const known = sagas.get(draft.id)
      if (known) return known.record
      const record = firstRecord(structuredClone(draft))
      sagas.set(draft.id, { record, token: '', heldUntilMs: 0 })
      return record
    },
    take: async (of, nowMs, holdMs) => {
      const free = (kept: Kept) => isOpen(kept.record) && kept.heldUntilMs <= nowMs
      const found =
        of === 'due'
          ? [...sagas.values()]
              .filter((kept) => free(kept) && kept.record.dueMs <= nowMs)
              .toSorted((a, b) => a.record.dueMs - b.record.dueMs)[0]
          : sagas.get(of.id)
      if (!found || !free(found)) return undefined
      found.token = randomUUID()
      found.heldUntilMs = nowMs + holdMs
      return { record: found.record, token: found.token }
    },
    save: async ({ record: { id }, token }, progress, holdUntilMs = 0) => {
      const kept = sagas.get(id)
      if (kept?.token !== token) return false
      const { saga, input, correlationId, startedMs } = kept.record
      kept.record = { id, saga, input, correlationId, startedMs, ...structuredClone(progress) }
      kept.heldUntilMs = holdUntilMs
      if (holdUntilMs === 0) kept.token = ''
      return true
    },
    decide: async (id, state, nowMs) => {
      const kept = sagas.get(id)
      if (kept?.record.state !== 'needs-attention') return false
      kept.record = { ...kept.record, state, failures: 0, dueMs: nowMs }
      return true
    },
    get: async (id) => sagas.get(id)?.record,
    list: async ({ state, limit = 100 } = {}) =>
      [...sagas.values()]
        .map(({ record }) => record)
        .filter((record) => state === undefined || record.state === state)
        .toSorted((a, b) => a.startedMs - b.startedMs)
        .slice(0, limit),
  }
}
