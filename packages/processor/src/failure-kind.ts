import { MillraceError } from '@millrace/event'

/**
 * What a failed delivery asks for.
 * - `permanent`: no repeat can help; the event becomes a dead letter and its key goes on;
 * - `retry`: again after a growing pause; each attempt counts;
 * - `wait`: again after a growing pause, not counted, because nothing was tried (a provider is away, a stop);
 * - `restart`: what the handler keeps stands elsewhere than the reader; the partition starts again from there.
 */
export type FailureKind = 'permanent' | 'retry' | 'wait' | 'restart'

// What is wrong with the event itself stays wrong.
const poison: ReadonlySet<string> = new Set([
  'event.invalid',
  'event.too-large',
  'json.invalid',
  'type.unknown',
  'upcaster.failed',
])

/** The kind of a failure, unless the consumer's own `kindOf` says more: poison is permanent, the rest is tried again. */
export function kindOfFailure(error: unknown): FailureKind {
  return error instanceof MillraceError && poison.has(error.code) ? 'permanent' : 'retry'
}

/** The kind of a failure to find out what a key begins with, which is none of its events' fault; undefined: it is none. */
export function kindOfTouch(error: unknown): FailureKind | undefined {
  if (!(error instanceof MillraceError)) return undefined
  if (error.code === 'touch.unavailable') return 'wait'
  return error.code === 'touch.refused' ? 'permanent' : undefined
}
