import { maskText } from '@millrace/event'
import { Queue } from 'bullmq'
import type { Redis, RedisOptions } from 'ioredis'
import { closeConnection, openAsking } from './connections.ts'
import { effectQueue } from './queue-place.ts'

/** How the breaker before an effect is, in one member. */
export interface EffectRecord {
  /** Name of the effect. */
  readonly name: string
  readonly state: 'closed' | 'open' | 'half-open'
  /** Since when, in ms since the epoch. */
  readonly sinceMs: number
  /** When it is tried again, in ms since the epoch. */
  readonly probeAtMs?: number
  /** What waits for it in this member. */
  readonly waiting: number
  readonly reason?: string
}

/** What a board of effects is made of. */
export interface EffectBoardOptions {
  /** How Redis is reached, as `serverOptions` of `@millrace/redis` reads it from an address. */
  readonly redis: RedisOptions
  readonly group: string
  readonly effects: readonly string[]
  /** Name of this member; the same after a restart, so that what it left behind is its own to remove. */
  readonly member: string
  /** What the keys of all queues begin with. Default `millrace-queues`. */
  readonly prefix?: string
  /** Hears what goes wrong; must not throw. Nothing depends on the board. */
  readonly onTrouble?: (error: unknown) => void
}

/**
 * Shows on BullMQ's dashboard which effects cannot be carried out: a queue for each effect, paused, with one record a
 * member while its breaker is not closed. What waits has no jobs: it lies in the ledger of its partition.
 */
export interface EffectBoard {
  /** Shows how a breaker is now; the last word counts. */
  show(record: EffectRecord): void
  /** Resolves when everything that was to be shown is. */
  shown(): Promise<void>
  close(): Promise<void>
}

/** Opens the board of a group's effects. */
export function openEffectBoard(options: EffectBoardOptions): EffectBoard {
  return new QueueBoard(options)
}

class QueueBoard implements EffectBoard {
  readonly #queues: ReadonlyMap<string, Queue>
  readonly #connection: Redis
  readonly #id: string
  readonly #trouble: (error: unknown) => void
  /** What is yet to be shown, by name: the latest. */
  readonly #latest = new Map<string, EffectRecord>()
  #showing: Promise<void> = Promise.resolve()
  #busy = false

  constructor({ redis, group, effects, member, prefix, onTrouble = () => undefined }: EffectBoardOptions) {
    this.#trouble = onTrouble
    this.#id = `member-${member.replaceAll(':', '-')}`
    const connection = openAsking({ redis, name: `millrace-effects-${group}`, timeoutMs: 5_000, onTrouble })
    this.#connection = connection
    this.#queues = new Map(
      effects.map((effect) => {
        const place = effectQueue(group, effect, prefix)
        const queue = new Queue(place.name, { connection, prefix: place.prefix })
        queue.on('error', onTrouble)
        return [effect, queue]
      }),
    )
    // What an earlier run of this member left behind.
    const now = Date.now()
    for (const name of effects) this.show({ name, state: 'closed', sinceMs: now, waiting: 0 })
  }

  show(record: EffectRecord): void {
    this.#latest.set(record.name, record)
    if (this.#busy) return
    this.#busy = true
    this.#showing = this.#showAll()
  }

  shown(): Promise<void> {
    return this.#showing
  }

  async close(): Promise<void> {
    const now = Date.now()
    for (const name of this.#queues.keys()) this.show({ name, state: 'closed', sinceMs: now, waiting: 0 })
    await this.#showing
    for (const queue of this.#queues.values()) await queue.close().catch(this.#trouble)
    await closeConnection(this.#connection)
  }

  async #showAll(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      try {
        await this.#write(next)
      } catch (error) {
        this.#trouble(error)
      }
    }
    this.#busy = false
  }

  #next(): EffectRecord | undefined {
    const [first] = this.#latest.values()
    if (first !== undefined) this.#latest.delete(first.name)
    return first
  }

  async #write(record: EffectRecord): Promise<void> {
    const queue = this.#queues.get(record.name)
    if (queue === undefined) return
    await queue.remove(this.#id)
    if (record.state === 'closed') {
      if ((await queue.getJobCountByTypes('waiting')) === 0) await queue.resume()
      return
    }
    await queue.pause()
    const { name, state, sinceMs, probeAtMs, waiting, reason } = record
    const since = new Date(sinceMs).toISOString()
    const data = {
      ...{ effect: name, breaker: state, since, waiting },
      ...(probeAtMs === undefined ? {} : { nextProbe: new Date(probeAtMs).toISOString() }),
      ...(reason === undefined ? {} : { reason: maskText(reason) }),
    }
    await queue.add(`${name} cannot be carried out since ${since}: ${waiting} wait`, data, {
      jobId: this.#id,
    })
  }
}
