import type { GenerationStore, GroupPartition } from '@millrace/processor'
import type { GenerationJudge } from '../generation-judge.ts'
import type { Judge } from '../judge.ts'
import { watched } from '../simulated-server.ts'
import { keys } from './key-names.ts'

/** Those who judge what is carried out, and their clock. */
interface Court {
  readonly judge: Judge
  readonly generations: GenerationJudge
  readonly nowMs: number
}

/** The store, with each call that writes judged when it is carried out. */
export function watchedStore(store: GenerationStore, court: Court): GenerationStore {
  const { judge } = court
  return watched(store, {
    ...watchedGenerations(store, court),
    ...watchedLeases(store, court),
    ...watchedOrders(store, judge),
  })
}

/** What a member asks for, of the live generation or of one that it builds. */
function watchedLeases(store: GenerationStore, court: Court): Partial<GenerationStore> {
  const { judge, generations } = court
  const judgeOf = ({ generation = 0 }: GroupPartition) =>
    generation === 0 ? judge : generations.of(generation)
  return {
    acquire: async (at, member, leaseMs, start) => {
      const lease = await store.acquire(at, member, leaseMs, start)
      judgeOf(at).acquired(member, leaseMs, lease, court.nowMs)
      return lease
    },
    seize: async (at, member, leaseMs) => {
      const lease = await store.seize(at, member, leaseMs)
      judge.seized(member, leaseMs, lease, court.nowMs)
      return lease
    },
    renew: async (at, lease, leaseMs) => {
      const renewal = await store.renew(at, lease, leaseMs)
      judgeOf(at).renewed(lease.token, lease.n, renewal, court.nowMs + leaseMs)
      return renewal
    },
    release: async (at, token) => {
      const result = await store.release(at, token)
      judgeOf(at).released(token, result)
      return result
    },
    commit: async (at, commit) => {
      const result = await store.commit(at, commit)
      const { generation = 0 } = at
      if (generation === 0) judge.committed(commit, result)
      else generations.of(generation).committed(commit, result, judge)
      return result
    },
  }
}

function watchedGenerations(store: GenerationStore, court: Court): Partial<GenerationStore> {
  const { generations } = court
  return {
    freeze: async (at, building, request) => {
      const result = await store.freeze(at, building, request)
      generations.frozen(building, request, result, court.nowMs)
      return result
    },
    switchGeneration: async (at, live, building) => {
      const result = await store.switchGeneration(at, live, building)
      generations.switched(live, building, result)
      if (result.status === 'switched') generations.read(await store.loadStates(at, keys))
      return result
    },
    dropGeneration: async (at) => {
      const result = await store.dropGeneration(at)
      generations.dropped(at.generation ?? 0, result, court.nowMs)
      return result
    },
  }
}

/** Confirmations, and what operators ask for. */
function watchedOrders(store: GenerationStore, judge: Judge): Partial<GenerationStore> {
  return {
    confirmEffects: async (at, token, changes) => {
      const result = await store.confirmEffects(at, token, changes)
      judge.confirmed(token, changes, result)
      return result
    },
    rule: async (at, request) => {
      const result = await store.rule(at, request)
      judge.ruled(request, result)
      return result
    },
    ruleEffect: async (at, request) => {
      const result = await store.ruleEffect(at, request)
      judge.effects.ruled(request, result)
      return result
    },
    settleWithheld: async (at, request) => {
      const results = await store.settleWithheld(at, request)
      judge.effects.settledWithheld(request, results)
      return results
    },
    dropStates: async (at, token, drop) => {
      const result = await store.dropStates(at, token, drop)
      judge.dropped(token, drop, result)
      return result
    },
    setShadow: async (at, change) => {
      const record = await store.setShadow(at, change)
      judge.shadow.changed(change, record)
      return record
    },
    keepMigration: async (at, entry) => {
      const result = await store.keepMigration(at, entry)
      if (result === 'kept') judge.folds.takenOver(entry)
      return result
    },
  }
}
