import { limits, MillraceError, type Topic } from '@millrace/event'
import type { ChannelBatch, EventLog } from '@millrace/log'
import type { OutboxEntry } from './outbox.ts'

/** Where a line leads to. */
export interface LineTarget {
  /** Undefined: nobody has named the topic yet. */
  readonly topic: () => Topic | undefined
  readonly name: string
  readonly partition: number
  readonly channel: string
}

/** What a line tells its forwarder. */
export interface LineOwner {
  /** These entries are on their target. */
  forwarded(entries: readonly OutboxEntry[]): void
  /** Waits after a failure that may pass; answers whether to try again. */
  passed(error: unknown, failures: number): Promise<boolean>
}

/** Most characters of one append. */
const mostSize = 1024 * 1024

/** The entries of one target partition, in order: appended one call at a time. */
export class ForwarderLine {
  readonly #log: Pick<EventLog, 'appendChannel' | 'channel'>
  readonly #target: LineTarget
  readonly #owner: LineOwner
  #queue: OutboxEntry[] = []
  #busy = false
  #ended = false

  constructor(log: Pick<EventLog, 'appendChannel' | 'channel'>, target: LineTarget, owner: LineOwner) {
    this.#log = log
    this.#target = target
    this.#owner = owner
  }

  push(entry: OutboxEntry): void {
    this.#queue.push(entry)
    void this.#work()
  }

  end(): void {
    this.#ended = true
    this.#queue = []
  }

  async #work(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    for (let failures = 0; this.#queue.length > 0 && !this.#ended;) {
      const entries = this.#portion()
      try {
        await this.#append(entries)
        failures = 0
        this.#queue = this.#queue.slice(entries.length)
        if (!this.#ended) this.#owner.forwarded(entries)
      } catch (error) {
        failures += 1
        // What a repeat does not mend stays in the outbox, and with it everything behind it.
        if (!(await this.#owner.passed(error, failures))) return
      }
    }
    this.#busy = false
  }

  /** As many entries as one append takes: their numbers follow one another. */
  #portion(): readonly OutboxEntry[] {
    const first = this.#queue[0]?.first ?? 0
    let events = 0
    let size = 0
    let end = 0
    for (const entry of this.#queue) {
      if (entry.first !== first + events) break
      events += entry.events.length
      size += entry.size
      if (end > 0 && (events > limits.appendEvents || size > mostSize)) break
      end += 1
    }
    return this.#queue.slice(0, end)
  }

  async #append(entries: readonly OutboxEntry[]): Promise<void> {
    const { name, partition, channel } = this.#target
    const topic = this.#target.topic()
    if (topic === undefined)
      throw new MillraceError(
        'topic.unknown',
        `The outbox holds events for topic ${name}: name it among the topics that the processor emits to`,
        { details: { topic: name } },
      )
    const events = entries.flatMap((entry) => entry.events)
    const mark = events.at(-1)?.id ?? ''
    const first = entries[0]?.first ?? 0
    const batch: ChannelBatch = { partition, channel, incarnation: 1, first, events, mark }
    const result = await this.#log.appendChannel(topic, batch)
    if (result.status === 'refused') throw result.error
    if (result.taken === 0) await this.#compare(topic, batch)
  }

  /**
   * The channel had all of it: from us, when an answer was lost, or from an owner before us. Was the source set back
   * since, and not the target, it has other events under these numbers, and ours would be lost without a word.
   */
  async #compare(topic: Topic, { partition, channel, first, events, mark }: ChannelBatch): Promise<void> {
    const stored = await this.#log.channel(topic, partition, channel)
    // What is not the channel's last batch cannot be compared any more.
    if (stored.last !== first + events.length - 1 || stored.mark === mark) return
    throw new MillraceError(
      'outbox.diverged',
      `Channel ${channel} into ${topic.name}/${partition} ends with event ${stored.mark}, not ${mark}`,
      { details: { channel, topic: topic.name, partition, last: stored.last } },
    )
  }
}
