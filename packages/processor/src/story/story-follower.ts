import { type Clock, MillraceError, systemClock, type Topic } from '@millrace/event'
import { beginning, type EventLog, type Recorded } from '@millrace/log'
import { backoffMs } from '@millrace/retry'
import { sleep } from '../engine/sleep.ts'
import { systemTimers, type Timers } from '../lane/timers.ts'
import { indexBounds, type StoryIndex } from './story-index.ts'

/** What a {@link StoryFollower} needs. */
export interface StoryFollowerOptions {
  readonly topics: readonly Topic[]
  readonly log: Pick<EventLog, 'read' | 'tips'>
  readonly index: StoryIndex
  /** Hears of failures that it tries again after. */
  readonly onTrouble?: (error: unknown) => void
  readonly clock?: Clock
  readonly timers?: Timers
}

/** How the index is. */
export interface FollowerHealth {
  readonly state: 'ok' | 'degraded'
  readonly message: string
}

const batchEvents = 500
const waitMs = 2_000
const retry = { firstMs: 100, maxMs: 5_000 }

/**
 * Follows topics and takes their events into the index by which stories are found. Several may run side by side: the
 * index takes each batch once, whoever brings it.
 */
export class StoryFollower {
  readonly #options: StoryFollowerOptions
  readonly #ending = new AbortController()
  readonly #failures = new Map<string, string>()
  #running: Promise<unknown> | undefined

  constructor(options: StoryFollowerOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= Promise.all(this.#options.topics.map((topic) => this.#follow(topic)))
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  health(): FollowerHealth {
    const [[topic, message] = []] = this.#failures
    return topic === undefined
      ? { state: 'ok', message: 'follows' }
      : { state: 'degraded', message: `${topic}: ${message}` }
  }

  async #follow(topic: Topic): Promise<void> {
    const { onTrouble, timers = systemTimers } = this.#options
    const { signal } = this.#ending
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#read(topic, () => {
          failures = 0
          this.#failures.delete(topic.name)
        })
      } catch (error) {
        failures += 1
        this.#failures.set(topic.name, error instanceof MillraceError ? error.code : 'internal')
        onTrouble?.(error)
        await sleep(timers, backoffMs(retry, failures, 0.5), signal)
      }
    }
  }

  /** Reads on from where the index stands, until somebody else has moved it. */
  async #read(topic: Topic, went: () => void): Promise<void> {
    const { log, index } = this.#options
    const { signal } = this.#ending
    const cursors = new Map(await this.#beginnings(topic))
    const stored = await index.cursors(topic)
    for (const [partition, id] of stored) cursors.set(partition, id)
    for (const [partition, id] of cursors) {
      // Told at once where it begins, or it would count as behind for as long as nothing comes.
      const begins = !stored.has(partition) && id !== beginning
      if (begins) await index.note(topic, { partition, from: id, to: id, events: [] })
    }
    while (!signal.aborted) {
      const found = await log.read(topic, cursors, { limit: batchEvents, waitMs, signal })
      for (const [partition, events] of found) {
        const from = cursors.get(partition) ?? beginning
        const to = events.at(-1)?.position.id
        if (to === undefined) continue
        const batch = { partition, from, to, events: events.map(indexed) }
        if ((await index.note(topic, batch)) === 'moved') return
        cursors.set(partition, to)
      }
      went()
    }
  }

  /** What is older than the index keeps is not taken in. */
  async #beginnings(topic: Topic): Promise<ReadonlyMap<number, string>> {
    const { log, clock = systemClock } = this.#options
    const tips = await log.tips(topic, { beforeMs: clock.now() - indexBounds.windowMs })
    return new Map(tips.map(({ partition, id }) => [partition, id]))
  }
}

function indexed({ event, position }: Recorded) {
  // Poison may lack what every event has.
  const id: unknown = event.correlationid
  return { eventId: event.id, correlationId: typeof id === 'string' ? id : '', position }
}
