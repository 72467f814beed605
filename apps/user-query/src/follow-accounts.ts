import { accounts } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { EventLog, Recorded } from '@millrace/log'
import {
  consume,
  type Consumer,
  type ConsumerEvent,
  type FailureKind,
  type GroupStore,
  kindOfFailure,
} from '@millrace/processor'
import { nothingApplied, type ViewStore } from '@millrace/view'
import type { AccountRows } from './account-rows.ts'
import { accountView } from './account-view.ts'

/** What following the accounts needs. */
export interface FollowOptions {
  readonly log: Pick<EventLog, 'read'>
  readonly groups: GroupStore
  readonly view: ViewStore<AccountRows>
  readonly member?: string
  readonly observe?: (event: ConsumerEvent) => void
}

/**
 * Brings the events of the accounts into the view, as the group `user-query`. The view's own checkpoints decide where
 * it goes on; the group's position follows them, for operators to see.
 */
export function followAccounts(options: FollowOptions): Consumer {
  const { log, groups, view, member, observe } = options
  return consume({
    log,
    store: groups,
    topic: accounts,
    group: 'user-query',
    ...(member === undefined ? {} : { member }),
    ...(observe === undefined ? {} : { observe }),
    commitEvery: 500,
    kindOf,
    startAt: async (partition) => (await view.checkpoints()).get(partition) ?? nothingApplied,
    handleBatch: (batch) => applyBatch(view, batch),
  })
}

async function applyBatch(view: ViewStore<AccountRows>, batch: readonly Recorded[]): Promise<void> {
  try {
    await view.apply(batch, accountView.fold)
  } catch (error) {
    // The event becomes a dead letter; the view moves past it in the same way as everything else.
    if (batch.length === 1 && kindOf(error) === 'permanent') await view.apply(batch, async () => undefined)
    throw error
  }
}

function kindOf(error: unknown): FailureKind {
  return error instanceof MillraceError && error.code === 'view.gap' ? 'restart' : kindOfFailure(error)
}
