import { freshId } from './ids.ts'

const pattern = /^[A-Za-z0-9._:-]{1,128}$/

/** Whether a text can be a correlation id: at most 128 letters, digits, `.`, `_`, `:` and `-`. */
export function isCorrelationId(text: string): boolean {
  return pattern.test(text)
}

/**
 * The correlation id of what comes in by a door (a request, a command, a change): the one that it brings when that is
 * well formed, else a fresh one.
 */
export function correlationOf(given: string | undefined): string {
  return given !== undefined && isCorrelationId(given) ? given : freshId()
}
