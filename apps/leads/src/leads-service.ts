import { type Clock, systemClock } from '@millrace/event'
import type { HttpAppOptions } from '@millrace/hono'
import type { EventLog } from '@millrace/log'
import {
  type ConsumerEvent,
  type ConsumerHealth,
  type EngineBounds,
  followView,
  type GenerationStore,
  type MemberList,
  run,
  type Running,
  type ShadowWatching,
  watchShadow,
} from '@millrace/processor'
import type { RetryClock } from '@millrace/retry'
import { CheckpointWatch, type ViewStore } from '@millrace/view'
import { createLeadsApp } from './leads-app.ts'
import { beforeTheLog } from './legacy/before-the-log.ts'
import { tellLegacy } from './legacy/tell-legacy.ts'
import { leadsProcessor, type LeadsProcessorOptions } from './leads-processor.ts'
import { sales } from './sales-topic.ts'
import type { SalesRows } from './view/sales-rows.ts'
import { salesView } from './view/sales-view.ts'

/** What {@link createLeads} needs. */
export interface LeadsOptions extends LeadsProcessorOptions {
  readonly log: Pick<
    EventLog,
    'append' | 'read' | 'readKey' | 'readAt' | 'tips' | 'appendChannel' | 'channel'
  >
  readonly groups: GenerationStore
  readonly view: ViewStore<SalesRows>
  /** Bearer tokens of those who may call. Empty: nobody may. */
  readonly tokens: readonly string[]
  /** At least 32 bytes. The same for every instance. */
  readonly idempotencySecret: Uint8Array
  readonly http: HttpAppOptions
  /** The list by which several instances share the work. Default: none. */
  readonly members?: MemberList
  /** What this instance is called in the group's records. */
  readonly member?: string
  /** Makes the part of that name which nobody else has. Default: a fresh id. */
  readonly freshName?: () => string
  /** Say when parked buyers are due, by group. Their owner closes them, after the stop. */
  readonly retryClocks?: { readonly [Group in LeadsGroup]: RetryClock }
  /** Hears of lag, progress and failures; must not throw. */
  readonly observe?: (event: ConsumerEvent) => void
  readonly clock?: Clock
  /** How long a read with `after` waits, in ms. Default 5,000. */
  readonly waitMs?: number
  /** Compares all buyers with the legacy system, with so many ms in between. Default: never. */
  readonly compareEveryMs?: number
  /** A comparison has failed; the next one comes in its time. */
  readonly comparisonFailed?: (error: unknown) => void
  readonly bounds?: Partial<EngineBounds>
}

/** The groups of the service, the last one where there is a legacy system. */
export type LeadsGroup = 'leads' | 'leads-view' | 'legacy-feed'

/** The service: its HTTP interface, and the groups behind it. */
export interface LeadsService {
  readonly app: ReturnType<typeof createLeadsApp>
  /** Makes the view's tables where they are missing, and begins to follow the log. */
  start(): Promise<void>
  stop(): Promise<void>
  /** By group. */
  health(): Readonly<Partial<Record<LeadsGroup, ConsumerHealth>>>
}

const leadsBounds = {
  // A fact that has lost its way for a day is a matter for an operator.
  deferMs: 24 * 3_600_000,
  // What waits for another fact of the same buyer is offered again with that one; the beat is for everything else.
  deferBeatMs: 10_000,
  stopMs: 2_500,
} as const satisfies Partial<EngineBounds>

/** Sales leads out of offers on cars. docs/leads.md tells what it does. */
export function createLeads(options: LeadsOptions): LeadsService {
  if (options.idempotencySecret.byteLength < 32)
    throw new TypeError('The secret for idempotency keys has at least 32 bytes')
  const { log, groups: store, view, clock = systemClock, waitMs = 5_000 } = options
  const processor = leadsProcessor(options)
  const before = options.legacy && beforeTheLog(processor, store, options.legacy)
  const earlier = before ? { before } : {}
  const watch = new CheckpointWatch(view)
  const app = createLeadsApp({
    ...{ log, view, watch, waitMs },
    offers: { log, clock, idempotencySecret: options.idempotencySecret, ...earlier },
    reader: { processor, log, store, ...earlier },
    tokens: options.tokens,
    http: options.http,
  })
  const { members, member, freshName, observe, retryClocks } = options
  const common = {
    ...{ log, store },
    ...(members === undefined ? {} : { members }),
    ...(member === undefined ? {} : { member }),
    ...(freshName === undefined ? {} : { freshName }),
    ...(observe === undefined ? {} : { observe }),
  }
  const clockOf = (of: LeadsGroup) => (retryClocks ? { retryClock: retryClocks[of] } : {})
  const running = new Map<LeadsGroup, Running>()
  const { legacy, compareEveryMs: everyMs, comparisonFailed: failed } = options
  let watching: ShadowWatching | undefined
  const groups: readonly LeadsGroup[] = ['leads', 'leads-view', ...(legacy ? (['legacy-feed'] as const) : [])]
  return {
    app,
    start: async () => {
      await view.prepare()
      const following = { ...common, ...clockOf('leads-view'), view: salesView, data: view }
      running.set('leads-view', await followView(following))
      const bounds = { ...leadsBounds, ...options.bounds }
      running.set(
        'leads',
        await run(processor, { ...bounds, ...common, ...clockOf('leads'), emitsTo: [sales] }),
      )
      if (!legacy) return
      const feed = { ...common, ...clockOf('legacy-feed'), legacy, leads: processor }
      running.set('legacy-feed', await tellLegacy(feed))
      if (everyMs === undefined) return
      watching = watchShadow(processor, { log, store, everyMs, ...(failed ? { failed } : {}) })
    },
    stop: async () => {
      watch.stop()
      await watching?.stop()
      for (const group of ['legacy-feed', 'leads', 'leads-view'] as const) await running.get(group)?.stop()
    },
    health: () =>
      Object.fromEntries(groups.map((group) => [group, running.get(group)?.health() ?? notStarted])),
  }
}

const notStarted: ConsumerHealth = {
  state: 'down',
  message: 'has not started',
  paused: false,
  partitions: [],
}
