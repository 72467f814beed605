import type { DueAnswer } from './retry-clock.ts'

/** When a clock asks again for a head that it has said is due, in ms. */
export interface Asking {
  /** After it was marked: it is about to be run, and planned again or forgotten. */
  readonly dueMs: number
  /** After it had been marked before: its owner is busy, or there is none. */
  readonly alreadyMs: number
  /** After nobody could be asked. */
  readonly failedMs: number
}

export const asking = { dueMs: 10_000, alreadyMs: 300_000, failedMs: 5_000 } as const satisfies Asking

/** After how many ms to ask again; undefined when the head is gone. */
export function askAgainMs(answer: DueAnswer | void, { dueMs, alreadyMs }: Asking): number | undefined {
  if (answer === 'stale') return undefined
  return answer === 'already' ? alreadyMs : dueMs
}
