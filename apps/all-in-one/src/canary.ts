import { type Clock, newEvent, partitionOfKey, systemClock, topic } from '@millrace/event'
import type { GroupStore } from '@millrace/processor'
import type { RedisLog } from '@millrace/redis'
import { z } from 'zod'

/** A topic with nothing in it but what shows that events come through. */
export const canaryTopic = topic('canary', { partitions: 2, types: { CanarySent: z.object({}) } })

/** The group that settles them. */
export const canaryGroup = 'canary'

/** How long ago the latest canary was sent that has come through, by partition, in ms. */
export type CanaryAges = ReadonlyMap<number, number>

/** What a {@link Canary} needs. */
export interface CanaryOptions {
  readonly log: Pick<RedisLog, 'append'>
  readonly store: Pick<GroupStore, 'look'>
  readonly clock?: Clock
}

interface Sent {
  readonly seq: number
  readonly atMs: number
}

/**
 * Sends an event through every partition of a small topic, again and again, and sees by the position of its group which
 * have come through: whoever of the group has settled them, they have been appended, read, handled and committed.
 */
export class Canary {
  readonly #options: CanaryOptions
  readonly #clock: Clock
  readonly #onTheWay = new Map<number, Sent[]>()
  readonly #arrivedMs = new Map<number, number>()

  constructor(options: CanaryOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const now = this.#clock.now()
    for (let partition = 0; partition < canaryTopic.partitions; partition += 1) {
      this.#onTheWay.set(partition, [])
      // Nothing is late yet.
      this.#arrivedMs.set(partition, now)
    }
  }

  /** Sends one through each partition. Rejects as the log does. */
  async send(): Promise<void> {
    const sending = [...this.#onTheWay].map(async ([partition, sent]) => {
      const atMs = this.#clock.now()
      const event = newEvent(
        canaryTopic,
        { type: 'CanarySent', source: '/millrace/canary', key: keyIn(partition), data: {} },
        this.#clock,
      )
      const [result] = await this.#options.log.append(canaryTopic, [{ events: [event] }])
      if (result?.status === 'refused') throw result.error
      const seq = result?.status === 'appended' ? result.positions[0]?.seq : undefined
      if (seq !== undefined) sent.push({ seq, atMs })
      if (sent.length > mostOnTheWay) sent.shift()
    })
    await Promise.all(sending)
  }

  /** Looks which have come through. Rejects as the store does. */
  async ages(): Promise<CanaryAges> {
    const ages = [...this.#onTheWay].map(async ([partition, sent]) => {
      const { position } = await this.#options.store.look({
        topic: canaryTopic,
        partition,
        group: canaryGroup,
      })
      while (sent[0] !== undefined && sent[0].seq <= position.seq)
        this.#arrivedMs.set(partition, sent.shift()?.atMs ?? 0)
      return [partition, Math.max(0, this.#clock.now() - (this.#arrivedMs.get(partition) ?? 0))] as const
    })
    return new Map(await Promise.all(ages))
  }
}

const mostOnTheWay = 100

/** A key of this partition. */
function keyIn(partition: number): string {
  for (let n = 0; ; n += 1) if (partitionOfKey(canaryTopic, `canary-${n}`) === partition) return `canary-${n}`
}

/** What ages say about health: late ones degrade it, and nothing that came through for longer is down. */
export function canaryFinding(
  ages: CanaryAges,
  everyMs: number,
): { readonly state: 'ok' | 'degraded' | 'down'; readonly message?: string } {
  const oldestMs = Math.max(0, ...ages.values())
  if (oldestMs <= 2.5 * everyMs) return { state: 'ok' }
  const late = [...ages].filter(([, ms]) => ms > 2.5 * everyMs).map(([partition]) => partition)
  return {
    state: oldestMs > 5 * everyMs ? 'down' : 'degraded',
    message: `no canary through partition ${late.join(', ')} for ${Math.round(oldestMs / 1_000)} s`,
  }
}
