import type { GroupPartition, GroupStore, Stories } from '@millrace/processor'
import { groupKeys } from './group-history.ts'

/** All that is remembered of the first events. */
export async function storiesOf(stories: Stories, at: GroupPartition) {
  const seqs = [1, 2, 3, 4, 5, 6, 7]
  return { facts: await stories.facts(at, seqs), spans: await stories.settledSpans(at, seqs) }
}

/** All that can be read of a group. */
export async function everything(store: GroupStore, at: GroupPartition) {
  return {
    look: await store.look(at),
    keys: await store.loadStates(at, groupKeys),
    parked: await store.parked(at),
    parkedPage: await store.parked(at, { limit: 1 }),
    due: await store.dueKeys(at, Number.MAX_SAFE_INTEGER),
    dueFirst: await store.dueKeys(at, 1_000, 1),
    deferred: await store.deferredKeys(at),
    deferredOfKey: await Promise.all(groupKeys.map((key) => store.deferred(at, key))),
    dead: await store.deadLetters(at),
    items: await store.deadItems(at),
    itemsPage: await store.deadItems(at, { limit: 2 }),
    itemsOfKey: await store.deadItems(at, { filter: { key: 'a', status: 'dead' } }),
    counts: await store.deadCounts(at),
    requeued: await store.requeued(at),
    rulings: await store.rulings(at, [1, 2, 3, 4, 5, 6]),
    repairs: (await store.repairEntries(at)).items.map(({ no: _, ...entry }) => entry),
    timers: await store.dueTimers(at, 5, 2),
    firings: await store.firings(at, { fromSeq: 2 }),
    migrations: await store.migrations(at, groupKeys),
    withheld: await store.withheldEffects(at),
    shadow: await store.shadow(at),
    outbox: await store.outbox(at),
    outboxPage: await store.outbox(at, { after: '2-1', limit: 2 }),
    effects: await Promise.all(
      (['pending', 'parked', 'dead'] as const).map((status) => store.pendingEffects(at, { status })),
    ),
    deadEffects: await store.deadEffects(at),
    deadEffectsPage: await store.deadEffects(at, { limit: 1 }),
    deadEffectsOfKey: await store.deadEffects(at, { filter: { key: 'a', fromMs: 1 } }),
    requeuedEffects: await store.requeuedEffects(at),
    audit: await store.audit(at),
  }
}
