import { accounts } from '@millrace/accounts'
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
import type { AccountRows } from './account-rows.ts'
import { accountView } from './account-view.ts'

/** What following the accounts needs. */
export interface FollowOptions {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'appendChannel' | 'channel'>
  readonly groups: GroupStore
  readonly view: ViewStore<AccountRows>
  /** The list by which several instances share the partitions. */
  readonly members?: MemberList
  readonly member?: string
  readonly freshName?: () => string
  /** Says when parked accounts are due. Its owner closes it, after the stop. Default: one in memory. */
  readonly retryClock?: RetryClock
  readonly observe?: (event: ConsumerEvent) => void
  readonly leaseMs?: number
}

/** Many accounts at once, each transaction with all that came while the one before was under way. */
const bounds = {
  atOnce: 1_000,
  commitMs: 5,
  // A view is derived data: what can be folded at all is tried until it is.
  attempts: Number.POSITIVE_INFINITY,
  // The writer waits for a view that is away, and a statement has its own limit.
  handlerTimeoutMs: Number.POSITIVE_INFINITY,
  stopMs: 2_500,
  retry: { firstMs: 100, maxMs: 5_000 },
} as const satisfies Partial<RunOptions>

/**
 * Brings the events of the accounts into the view, as the group `user-query`. The group's position says what is in
 * the view for sure; what a crash between the view's transaction and the group's commit repeats, the view knows.
 */
export async function followAccounts(options: FollowOptions): Promise<Running> {
  const { log, groups, view, members, member, freshName, retryClock, leaseMs, observe } = options
  const writer = new ViewWriter({ store: view, view: accountView, log })
  const follower = processor(accountView.name, accounts, {
    asStored: true,
    onExhausted: 'skip-event',
    handle: (event, { position, signal }) => writer.write({ event, position }, signal),
  })
  const running = await run(follower, {
    ...bounds,
    log,
    store: groups,
    elsewhere: writer,
    gate: writer,
    kindOf,
    ...(members === undefined ? {} : { members }),
    ...(member === undefined ? {} : { member }),
    ...(freshName === undefined ? {} : { freshName }),
    ...(retryClock === undefined ? {} : { retryClock }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
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
