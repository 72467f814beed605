import type { GroupPartition, GroupStore, Stories } from '@millrace/processor'
import { groupKeys } from './group-history.ts'

/** All that can be read of a group, and of its first events: asked for at once, so that it costs one way to the server. */
export function everything(at: GroupPartition, store: GroupStore, stories: Stories) {
  const seqs = [1, 2, 3, 4, 5, 6, 7]
  return answersTo({
    facts: stories.facts(at, seqs),
    spans: stories.settledSpans(at, seqs),
    look: store.look(at),
    keys: store.loadStates(at, groupKeys),
    parked: store.parked(at),
    parkedPage: store.parked(at, { limit: 1 }),
    due: store.dueKeys(at, Number.MAX_SAFE_INTEGER),
    dueFirst: store.dueKeys(at, 1_000, 1),
    deferred: store.deferredKeys(at),
    deferredOfKey: Promise.all(groupKeys.map((key) => store.deferred(at, key))),
    dead: store.deadLetters(at),
    items: store.deadItems(at),
    itemsPage: store.deadItems(at, { limit: 2 }),
    itemsOfKey: store.deadItems(at, { filter: { key: 'a', status: 'dead' } }),
    counts: store.deadCounts(at),
    requeued: store.requeued(at),
    rulings: store.rulings(at, [1, 2, 3, 4, 5, 6]),
    repairs: store.repairEntries(at).then(({ items }) => items.map(({ no: _, ...entry }) => entry)),
    timers: store.dueTimers(at, 5, 2),
    firings: store.firings(at, { fromSeq: 2 }),
    migrations: store.migrations(at, groupKeys),
    withheld: store.withheldEffects(at),
    shadow: store.shadow(at),
    outbox: store.outbox(at),
    outboxPage: store.outbox(at, { after: '2-1', limit: 2 }),
    effects: Promise.all(
      (['pending', 'parked', 'dead'] as const).map((status) => store.pendingEffects(at, { status })),
    ),
    deadEffects: store.deadEffects(at),
    deadEffectsPage: store.deadEffects(at, { limit: 1 }),
    deadEffectsOfKey: store.deadEffects(at, { filter: { key: 'a', fromMs: 1 } }),
    requeuedEffects: store.requeuedEffects(at),
    audit: store.audit(at),
  })
}

async function answersTo<T extends Readonly<Record<string, Promise<unknown>>>>(
  asked: T,
): Promise<{ [Name in keyof T]: Awaited<T[Name]> }> {
  const answers = await Promise.all(Object.entries(asked).map(async ([name, answer]) => [name, await answer]))
  return Object.fromEntries(answers) as { [Name in keyof T]: Awaited<T[Name]> }
}
