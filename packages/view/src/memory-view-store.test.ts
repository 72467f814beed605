import { type CountRow, type CountRows, countRowsIn, type CountState } from './contract/counting-view.ts'
import { describeViewStoreContract } from './contract/view-store-contract.ts'
import { createMemoryViewStore } from './memory-view-store.ts'

describeViewStoreContract('memory', async (partitions) => {
  const make = () =>
    createMemoryViewStore<CountState, CountRows>({
      partitions,
      initial: () => ({ rows: new Map<string, CountRow>() }),
      transaction: countRowsIn,
    })
  let store = make()
  return {
    // One process has one memory: all instances are the same, whatever is under it.
    open: async () => ({
      prepare: () => store.prepare(),
      checkpoints: () => store.checkpoints(),
      apply: (events, view) => store.apply(events, view),
      take: (held) => store.take(held),
      holds: (held) => store.holds(held),
      applyHeld: (...given) => store.applyHeld(...given),
      read: (query) => store.read(query),
      onMoved: (listener) => store.onMoved(listener),
      build: (name, begin) => store.build(name, begin),
    }),
    destroy: async () => {
      store = make()
    },
    close: async () => undefined,
  }
})
