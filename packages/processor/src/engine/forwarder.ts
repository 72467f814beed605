import { type Event, MillraceError, type Topic } from '@millrace/event'
import { backoffMs } from '../backoff.ts'
import type { GroupPartition } from '../group-store.ts'
import { channelOf, outboxBounds, type OutboxDraft, type OutboxEntry } from '../outbox.ts'
import { sleep } from './sleep.ts'
import type { EngineSettings } from './engine-settings.ts'

const retry = { firstMs: 50, maxMs: 2_000 }
const page = 50

/** What a forwarder tells the engine that it works for. */
export interface ForwarderOwner {
  /** There is room again. */
  moved(): void
  /** The target does not take what the outbox holds, for a reason that a repeat does not mend. */
  failed(error: unknown): void
}

/**
 * Brings emitted events from the outbox of a partition to their topics: in order for each target partition, and again
 * until the target has them. Needs no token: what it does twice the channel knows.
 */
export class Forwarder {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #owner: ForwarderOwner
  readonly #ending = new AbortController()
  /** Entries in the order of their commits. */
  #queue: OutboxEntry[] = []
  /** The outbox holds entries that are not in the queue: they are read from there first. */
  #scan = true
  #working: Promise<void> | undefined
  readonly #removing = new Set<Promise<void>>()

  constructor(settings: EngineSettings, at: GroupPartition, owner: ForwarderOwner) {
    this.#settings = settings
    this.#at = at
    this.#owner = owner
  }

  /** Entries that wait, as far as is known here. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Begins with what earlier owners have left. */
  start(): void {
    this.#work()
  }

  /** A commit is in the store. Without numbers its entries have to be read from there. */
  add(n: number, drafts: readonly OutboxDraft[], numbers: readonly number[] | undefined): void {
    if (numbers === undefined) this.#scan = true
    // Behind what has to be read first, everything is read.
    else if (!this.#scan)
      for (const [place, { topic, partition, events, text }] of drafts.entries())
        this.#queue.push({
          id: `${n}-${place + 1}`,
          topic,
          partition,
          first: numbers[place] ?? 0,
          events,
          size: text.length,
        })
    this.#work()
  }

  /** Resolves when nothing is left to forward, or it has ended. */
  async idle(): Promise<void> {
    while ((this.#working || this.#removing.size > 0) && !this.#ending.signal.aborted) {
      await this.#working
      await Promise.all(this.#removing)
    }
  }

  end(): void {
    this.#ending.abort()
  }

  #work(): void {
    if (this.#working || this.#ending.signal.aborted) return
    this.#working = this.#run().finally(() => {
      this.#working = undefined
      if (this.#scan || this.#queue.length > 0) this.#work()
    })
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#ending.signal.aborted;) {
      try {
        if (this.#scan && this.#queue.length === 0) await this.#read()
        if (this.#queue.length === 0) return
        await this.#forward(this.#queue.slice(0, page))
        failures = 0
        this.#owner.moved()
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) {
          this.#owner.failed(error)
          return
        }
        this.#settings.tell({ kind: 'trouble', partition: this.#at.partition, error })
        failures += 1
        const delayMs = backoffMs(retry, failures, this.#settings.random())
        await sleep(this.#settings.timers, delayMs, this.#ending.signal)
      }
    }
  }

  async #read(): Promise<void> {
    // From now on: a commit that comes back meanwhile is behind this read, or asks for another one.
    this.#scan = false
    try {
      const { items, next } = await this.#settings.store.outbox(this.#at, { limit: page })
      const known = new Set(this.#queue.map(({ id }) => id))
      this.#queue = [...items.filter(({ id }) => !known.has(id)), ...this.#queue]
      if (next !== undefined) {
        // More than a page: what is known from memory is read again in its turn.
        this.#queue = [...items]
        this.#scan = true
      }
    } catch (error) {
      this.#scan = true
      throw error
    }
  }

  async #forward(entries: readonly OutboxEntry[]): Promise<void> {
    const lines = new Map<string, OutboxEntry[]>()
    for (const entry of entries) {
      const name = `${entry.topic}/${entry.partition}`
      const line = lines.get(name)
      if (line) line.push(entry)
      else lines.set(name, [entry])
    }
    await Promise.all([...lines.values()].map((line) => this.#forwardLine(line)))
    const gone = new Set(entries.map(({ id }) => id))
    this.#queue = this.#queue.filter(({ id }) => !gone.has(id))
    this.#remove([...gone])
  }

  /** What waits for one partition goes in as few calls as it fits into, one after the other. */
  async #forwardLine(line: readonly OutboxEntry[]): Promise<void> {
    const channel = channelOf(this.#at)
    for (let from = 0; from < line.length;) {
      const { topic: name, partition, first } = line[from] as OutboxEntry
      const events: Event[] = []
      let size = 0
      let at = from
      for (; at < line.length; at++) {
        const entry = line[at] as OutboxEntry
        const fits =
          at === from ||
          (entry.first === first + events.length &&
            events.length + entry.events.length <= outboxBounds.events &&
            size + entry.size <= outboxBounds.size)
        if (!fits) break
        events.push(...entry.events)
        size += entry.size
      }
      from = at
      const batch = { partition, channel, incarnation: 1, first, events }
      const result = await this.#settings.log.appendChannel(this.#target(name), batch)
      if (result.status === 'refused') throw result.error
    }
  }

  /** Nobody waits for this: what is left in the outbox is forwarded once more, which changes nothing, and removed. */
  #remove(ids: readonly string[]): void {
    const removing = this.#settings.store.forwarded(this.#at, ids).then(
      () => undefined,
      (error: unknown) => {
        this.#settings.tell({ kind: 'trouble', partition: this.#at.partition, error })
        this.#scan = true
      },
    )
    this.#removing.add(removing)
    void removing.finally(() => {
      this.#removing.delete(removing)
      if (this.#scan) this.#work()
    })
  }

  #target(name: string): Topic {
    const topic = this.#settings.targets.get(name)
    if (topic === undefined)
      throw new MillraceError(
        'topic.unknown',
        `The outbox holds events for topic ${name}: name it among the topics that the processor emits to`,
        { details: { topic: name } },
      )
    return topic
  }
}
