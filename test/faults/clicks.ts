import { topic } from '@millrace/event'
import { defineEffect, processor, state } from '@millrace/processor'
import { z } from 'zod'

/** What the members of this run work on. */
export const clicks = topic('clicks', { types: { Clicked: z.object({ n: z.int() }) }, partitions: 8 })

/** What they emit: an echo of each click, with what the key's state was by then. */
export const echoes = topic('echoes', {
  types: { Echoed: z.object({ n: z.int(), count: z.int(), trace: z.int() }) },
  partitions: 4,
})

/** The group that they are members of. */
export const group = 'echo'

/** What a key's clicks are folded to: it tells one lost, repeated or out of its turn. */
export interface Clicks {
  readonly count: number
  readonly trace: number
}

export const noClicks: Clicks = { count: 0, trace: 0 }

export function fold({ count, trace }: Clicks, n: number): Clicks {
  return { count: count + 1, trace: (trace * 31 + n + 1) % 1_000_003 }
}

/** Every tenth click is noted outside. */
export const isNoted = (n: number): boolean => n % 10 === 0
/** One click of 500 fails at its first attempt, another one at its first three: it parks its key. */
const fails = (n: number, attempt: number): boolean => attempt <= (n % 500 === 7 ? 1 : n % 500 === 13 ? 3 : 0)

/** Where the notes go: a list on the server, written past all that the run disturbs. */
export const notesKey = 'notes'

/** @param write Writes down an effect's idempotency key: what really happened outside, in one order. */
export function echo(write: (idempotencyKey: string) => Promise<unknown>) {
  const note = defineEffect('note', {
    schema: z.object({ n: z.int() }),
    run: async (_, { idempotencyKey }) => {
      await write(idempotencyKey)
    },
  })
  return processor(group, clicks, {
    state: state({ initial: () => noClicks }),
    effects: [note],
    handle: async ({ data: { n } }, context) => {
      // Gives the turn away, so that handlers of many keys overlap.
      await new Promise((resolve) => setImmediate(resolve))
      if (fails(n, context.attempt)) throw new Error('fails at first')
      const now = fold(context.state, n)
      context.evolve(now)
      context.emit(echoes, { type: 'Echoed', data: { n, ...now } })
      if (isNoted(n)) context.effect(note, { n })
    },
  })
}
