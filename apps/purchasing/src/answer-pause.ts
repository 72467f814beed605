import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'

/** How long those who carry something out wait for an answer whose transaction is committed already. */
export const answerPause = z
  .strictObject({
    /** In ms. */
    ms: z.number().int().min(0).max(10_000),
    /** Chance of an answer to wait, from 0 to 1. */
    share: z.number().min(0).max(1).default(1),
  })
  .describe('Between the commit of a carry-out and its answer')

/** A busy owner of orders, on demand: what it has changed is told by the change stream before it has answered. */
export class AnswerPause {
  readonly #random: () => number
  now: z.output<typeof answerPause> = { ms: 0, share: 1 }

  constructor(random: () => number) {
    this.#random = random
  }

  /** Resolves early when nobody waits for the answer any more; what was asked for is carried out all the same. */
  async pass(signal: AbortSignal): Promise<void> {
    const { ms, share } = this.now
    if (ms === 0 || this.#random() >= share) return
    try {
      await delay(ms, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
