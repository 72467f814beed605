import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/event'
import { z } from 'zod'

/** How slow and how reliable the old system is. */
export const behaviour = z.strictObject({
  /** Before each answer, in ms. */
  latencyMs: z.number().min(0).max(60_000).default(0),
  /** Chance of an answer to be 503, from 0 to 1; 1: it is down. */
  failureRate: z.number().min(0).max(1).default(0),
})

export type Behaviour = z.output<typeof behaviour>

/** Makes answers slow and fallible, on demand. */
export class Moods {
  readonly #random: () => number
  now: Behaviour = { latencyMs: 0, failureRate: 0 }
  /** How often it was asked, and how often it has failed. */
  readonly counts = { asked: 0, failed: 0 }

  constructor(random: () => number) {
    this.#random = random
  }

  /** @throws MillraceError `service.unavailable`, as often as it is told to */
  async suffer(signal: AbortSignal): Promise<void> {
    this.counts.asked += 1
    const { latencyMs, failureRate } = this.now
    if (latencyMs > 0) await delay(latencyMs, undefined, { signal })
    if (this.#random() >= failureRate) return
    this.counts.failed += 1
    throw new MillraceError('service.unavailable', 'The old system does not feel well')
  }
}
