import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError, partitionOfKey } from '@millrace/event'
import {
  type GroupPartition,
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
  const taken = new KnownKeys()
  const feed = processor('legacy-feed', offers, {
    handle: async (event, { key, signal }) => {
      const at = { topic: offers, partition: partitionOfKey(offers, key), group: leads.name }
      if (!taken.has(key)) await takenOver(store, at, key, signal)
      taken.add(key)
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

const pollMs = 10
const patienceMs = 1_000

/**
 * Resolves when leads has taken a buyer over: what it takes over is what the legacy system knew of him before, and not
 * what it is told here of the same events.
 *
 * @throws MillraceError `service.unavailable` when it has not within a second; the buyer is tried again later
 */
async function takenOver(
  store: Pick<GroupStore, 'migrations'>,
  at: GroupPartition,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  for (const until = performance.now() + patienceMs; ;) {
    if ((await store.migrations(at, [key])).has(key)) return
    if (performance.now() > until)
      throw new MillraceError('service.unavailable', 'Leads has not taken this buyer over yet')
    await delay(pollMs, undefined, { signal })
  }
}

/** Keys that were seen lately: enough to be spared most questions, and bounded. */
class KnownKeys {
  readonly #most = 20_000
  #keys = new Set<string>()

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  add(key: string): void {
    if (this.#keys.size >= this.#most) this.#keys = new Set()
    this.#keys.add(key)
  }
}
