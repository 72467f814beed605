import { partitionOfKey } from '@millrace/event'
import {
  type GroupStore,
  isPromoted,
  processor,
  run,
  type Running,
  type RunOptions,
} from '@millrace/processor'
import { factOf, type LeadsProcessor } from '../leads-processor.ts'
import { offers } from '../offers-topic.ts'
import type { LegacySystem } from './legacy-system.ts'

/** What telling the legacy system needs. */
export interface TellLegacyOptions extends Pick<
  RunOptions,
  'log' | 'members' | 'member' | 'freshName' | 'retryClock' | 'observe'
> {
  readonly store: GroupStore
  readonly legacy: LegacySystem
  /** Whose effects are carried out here; the legacy system does the rest. */
  readonly leads: LeadsProcessor
}

/**
 * Tells the legacy system every fact, as the group `legacy-feed`, so that both run side by side. It acts for those
 * buyers whose effects are withheld here. While it is away, its buyers wait; nothing else does.
 */
export function tellLegacy({ legacy, leads, store, ...options }: TellLegacyOptions): Promise<Running> {
  const feed = processor('legacy-feed', offers, {
    handle: async (event, { key, signal }) => {
      const at = { topic: offers, partition: partitionOfKey(offers, key), group: leads.name }
      const act = !isPromoted(leads, await store.shadow(at), key)
      await legacy.tell(key, { ...factOf(event), at: event.time }, act, { signal })
    },
  })
  return run(feed, {
    ...options,
    store,
    attempts: Number.POSITIVE_INFINITY,
    stopMs: 2_500,
    retry: { firstMs: 200, maxMs: 10_000 },
  })
}
