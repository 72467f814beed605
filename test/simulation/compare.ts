import type { GroupPartition, GroupStore, Stories } from '@millrace/processor'
import { demand } from './story.ts'
import { answer, canonical, same } from './twins.ts'

const keys = ['a', 'b', 'cc', 'dd', 'e', 'f', 'nobody']
const ever = Number.MAX_SAFE_INTEGER

/** All that two stores say of a group's partition has to be the same. @throws Violation */
export async function compareAll(
  memory: GroupStore & Stories,
  redis: { readonly store: GroupStore; readonly stories: Stories },
  at: GroupPartition,
): Promise<void> {
  const { tip } = (await memory.audit(at)).counters
  const seqs = Array.from({ length: Math.min(tip, 1_000) }, (_, before) => before + 1)
  const [found, expected] = [
    await everything(redis, at, seqs),
    await everything({ store: memory, stories: memory }, at, seqs),
  ]
  for (const [place, [name, text]] of found.entries()) {
    const other = expected[place]?.[1]
    demand(text === other, same, () => `${name}: Redis holds ${text}, memory ${other}`)
  }
}

/** Asked all at once: nothing is written meanwhile. */
function everything(
  { store, stories }: { readonly store: GroupStore; readonly stories: Stories },
  at: GroupPartition,
  seqs: readonly number[],
): Promise<readonly (readonly [name: string, text: string])[]> {
  const reads: Readonly<Record<string, () => Promise<unknown>>> = {
    look: () => store.look(at),
    states: () => store.loadStates(at, keys),
    migrations: async () => [...(await store.migrations(at, keys))],
    parked: () => store.parked(at),
    due: () => store.dueKeys(at, ever),
    deferred: () => store.deferredKeys(at),
    'dead letters': () => store.deadLetters(at),
    'dead items': () => store.deadItems(at),
    'dead counts': () => store.deadCounts(at),
    'dead items of a key': () => store.deadItems(at, { filter: { key: 'a' } }),
    requeued: () => store.requeued(at),
    rulings: async () => [...(await store.rulings(at, seqs))],
    timers: () => store.dueTimers(at, ever),
    firings: () => store.firings(at),
    outbox: () => store.outbox(at),
    pending: () => store.pendingEffects(at),
    'parked effects': () => store.pendingEffects(at, { status: 'parked' }),
    'dead effects': () => store.deadEffects(at),
    'requeued effects': () => store.requeuedEffects(at),
    withheld: () => store.withheldEffects(at),
    shadow: async () => {
      const { no, percent, keys: named } = await store.shadow(at)
      return [no, percent, [...named].toSorted(([a], [b]) => (a < b ? -1 : 1))]
    },
    facts: async () => [...(await stories.facts(at, seqs))],
    settled: async () => [...(await stories.settledSpans(at, seqs))],
    audit: () => store.audit(at),
  }
  return Promise.all(
    Object.entries(reads).map(async ([name, read]) => {
      const { value, code } = await answer(read)
      return [name, code ?? canonical(value)] as const
    }),
  )
}
