import { MillraceError } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import {
  type ConsumerEvent,
  type FailureKind,
  type GroupStore,
  kindOfFailure,
  type MemberList,
  processor,
  run,
  type Running,
  type RunOptions,
} from '@millrace/processor'
import type { RetryClock } from '@millrace/retry'
import { type ViewStore, ViewWriter } from '@millrace/view'
import { type ReviewOptions, reviewProcessor } from './review-processor.ts'
import { suggestions } from './supply-topic.ts'
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
    attempts: Number.POSITIVE_INFINITY,
    retry: { firstMs: 1_000, maxMs: 60_000 },
  })
}

/** Many lines at once, each transaction with all that came while the one before was under way. */
const viewBounds = {
  atOnce: 1_000,
  commitMs: 5,
  // A view is derived data: what can be folded at all is tried until it is.
  attempts: Number.POSITIVE_INFINITY,
  handlerTimeoutMs: Number.POSITIVE_INFINITY,
  stopMs: 2_500,
  retry: { firstMs: 100, maxMs: 5_000 },
} as const satisfies Partial<RunOptions>

/** Brings the suggestions into the view, as the group `restocking-view`. */
export async function followSuggestions(
  options: GroupsOptions & { readonly view: ViewStore<VerdictRows> },
): Promise<Running> {
  const { log, view, observe } = options
  const writer = new ViewWriter({ store: view, view: verdictView, log })
  const follower = processor(verdictView.name, suggestions, {
    asStored: true,
    onExhausted: 'skip-event',
    handle: (event, { position, signal }) => writer.write({ event, position }, signal),
  })
  const running = await run(follower, {
    ...common(options),
    ...viewBounds,
    ...(options.retryClocks === undefined ? {} : { retryClock: options.retryClocks.view }),
    elsewhere: writer,
    gate: writer,
    kindOf,
    observe: (event) => {
      if (event.kind === 'progress') writer.reached(event.partition, event.position)
      observe?.(event)
    },
  })
  return {
    health: () => running.health(),
    resume: () => running.resume(),
    stop: async () => {
      await running.stop()
      await writer.end()
    },
  }
}

function kindOf(error: unknown): FailureKind {
  if (!(error instanceof MillraceError)) return 'retry'
  if (error.code === 'view.taken') return 'restart'
  // The view could not be reached: nothing was tried.
  return error.retryable ? 'wait' : kindOfFailure(error)
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
