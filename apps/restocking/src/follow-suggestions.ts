import type { EventLog } from '@millrace/log'
import {
  type ConsumerEvent,
  followView,
  type GroupStore,
  type MemberList,
  run,
  type Running,
  type RunOptions,
} from '@millrace/processor'
import type { RetryClock } from '@millrace/retry'
import type { ViewStore } from '@millrace/view'
import { type ReviewOptions, reviewProcessor } from './review-processor.ts'
import type { VerdictRows } from './verdict-rows.ts'
import { verdictView } from './verdict-view.ts'

/** What the two groups of restocking need. */
export interface GroupsOptions {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'appendChannel' | 'channel'>
  readonly groups: GroupStore
  readonly members?: MemberList
  readonly member?: string
  readonly freshName?: () => string
  /** Says when parked keys are due, for each group. Their owner closes them, after the stop. */
  readonly retryClocks?: { readonly review: RetryClock; readonly view: RetryClock }
  readonly observe?: (event: ConsumerEvent) => void
  readonly leaseMs?: number
}

/** Reviews what the sources bring together, as the group `restocking`. */
export function startReviews(options: GroupsOptions & ReviewOptions): Promise<Running> {
  return run(reviewProcessor(options), {
    ...common(options),
    ...(options.retryClocks === undefined ? {} : { retryClock: options.retryClocks.review }),
    // What is known of a product is written whole: events that come close together are committed together.
    commitMs: 20,
    attempts: Number.POSITIVE_INFINITY,
    retry: { firstMs: 1_000, maxMs: 60_000 },
  })
}

/** Brings the suggestions into the view, as the group `restocking-view`. */
export function followSuggestions(
  options: GroupsOptions & { readonly view: ViewStore<VerdictRows> },
): Promise<Running> {
  return followView({
    ...common(options),
    ...(options.retryClocks === undefined ? {} : { retryClock: options.retryClocks.view }),
    view: verdictView,
    data: options.view,
  })
}

function common(options: GroupsOptions): Pick<RunOptions, 'log' | 'store'> & Partial<RunOptions> {
  const { log, groups, members, member, freshName, leaseMs, observe } = options
  return {
    log,
    store: groups,
    ...(members === undefined ? {} : { members }),
    ...(member === undefined ? {} : { member }),
    ...(freshName === undefined ? {} : { freshName }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
    ...(observe === undefined ? {} : { observe }),
  }
}
