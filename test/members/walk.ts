import { topic } from '@millrace/event'
import { state } from '@millrace/processor'
import { z } from 'zod'

/** What the members of these tests work on: steps of many walkers, each numbered. */
export const walks = topic('walks', { types: { Stepped: z.object({ n: z.int() }) }, partitions: 8 })

/** The group that they are members of. */
export const group = 'followers'

/** What the group folds the steps of a walker to: it tells one lost, repeated or out of its turn. */
export interface Walk {
  readonly steps: number
  readonly trace: number
}

export const walk = state<Walk>({ initial: () => ({ steps: 0, trace: 0 }) })

export function onwards({ steps, trace }: Walk, n: number): Walk {
  return { steps: steps + 1, trace: (trace * 31 + n) % 1_000_003 }
}

/** Most events in hand of one partition: what a crash can make a handler see again. */
export const repeatsAtMost = 100

/** The list on Redis that every handler writes to when it has done its work: what really happened, in one order. */
export const diaryKey = 'diary'

/** A line of it. */
export interface Entry {
  readonly who: string
  readonly walker: string
  readonly n: number
  readonly partition: number
  readonly seq: number
}
