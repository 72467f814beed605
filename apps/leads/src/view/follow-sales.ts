import { MillraceError } from '@millrace/event'
import {
  type FailureKind,
  kindOfFailure,
  processor,
  run,
  type Running,
  type RunOptions,
} from '@millrace/processor'
import { type ViewStore, ViewWriter } from '@millrace/view'
import type { SalesRows } from './sales-rows.ts'
import { salesView } from './sales-view.ts'

/** What following the sales topic needs. */
export interface FollowSalesOptions extends Pick<
  RunOptions,
  'log' | 'store' | 'members' | 'member' | 'freshName' | 'retryClock' | 'observe' | 'leaseMs'
> {
  readonly view: ViewStore<SalesRows>
}

const bounds = {
  atOnce: 1_000,
  commitMs: 5,
  // A view is derived data: what can be folded at all is tried until it is.
  attempts: Number.POSITIVE_INFINITY,
  handlerTimeoutMs: Number.POSITIVE_INFINITY,
  stopMs: 2_500,
  retry: { firstMs: 100, maxMs: 5_000 },
} as const satisfies Partial<RunOptions>

/** Brings what sales has into the view, as the group `leads-view`; the view knows what a crash repeats. */
export async function followSales({ view, ...options }: FollowSalesOptions): Promise<Running> {
  const writer = new ViewWriter({ store: view, view: salesView, log: options.log })
  const follower = processor(salesView.name, salesView.topic, {
    asStored: true,
    onExhausted: 'skip-event',
    handle: (event, { position, signal }) => writer.write({ event, position }, signal),
  })
  const running = await run(follower, {
    ...bounds,
    ...options,
    elsewhere: writer,
    gate: writer,
    kindOf,
    observe: (event) => {
      if (event.kind === 'progress') writer.reached(event.partition, event.position)
      options.observe?.(event)
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
  return error.retryable ? 'wait' : kindOfFailure(error)
}
