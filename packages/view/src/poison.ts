import { MillraceError } from '@millrace/event'

const codes: ReadonlySet<string> = new Set(['event.invalid', 'type.unknown', 'upcaster.failed'])

/** Whether what failed is wrong with an event itself: a view leaves it out, a group has it among its dead letters. */
export function isPoison(error: unknown): error is MillraceError {
  return error instanceof MillraceError && codes.has(error.code)
}
