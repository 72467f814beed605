import { MillraceError } from '@millrace/event'
import { type View, type ViewStore, ViewWriter } from '@millrace/view'
import { run, type Running, type RunOptions } from './engine/run.ts'
import { type FailureKind, kindOfFailure } from './failure-kind.ts'
import { processor } from './model/processor.ts'

/** What {@link followView} needs. */
export interface FollowViewOptions<Tx> extends Pick<
  RunOptions,
  'log' | 'store' | 'members' | 'member' | 'freshName' | 'retryClock' | 'observe' | 'leaseMs'
> {
  readonly view: View<Tx>
  /** Where its data are. */
  readonly data: ViewStore<Tx>
}

/** Many events at once, each transaction with all that came while the one before was under way. */
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
 * Brings the events of a topic into a view, as the group of the view's name. The group's position says what is in the
 * view for sure; what a crash between the view's transaction and the group's commit repeats, the view knows.
 */
export async function followView<Tx>({ view, data, ...options }: FollowViewOptions<Tx>): Promise<Running> {
  const writer = new ViewWriter({ store: data, view, log: options.log })
  const follower = processor(view.name, view.topic, {
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
  // The view could not be reached: nothing was tried.
  return error.retryable ? 'wait' : kindOfFailure(error)
}
