import { limits, MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import { type AppendResult, type AppendUnit, prepare, type Prepared } from '@millrace/log'
import { PendingAppend } from './pending-append.ts'

/** Appends the gathered units of one partition. */
export type Flush = (
  topic: Topic,
  partition: number,
  units: readonly Prepared[],
) => Promise<readonly AppendResult[]>

// As many events as one stream entry takes: cutting the text of a call into several costs 0.7 µs an event, and a
// smaller script keeps other clients' waits short.
const mostUnits = 100

/**
 * Gathers what one turn of the event loop appends to a partition, so that it costs one script call. What is too
 * much for one goes in several, one after the other: units of one append keep their order, also when one fails.
 */
export class Gather {
  readonly #flush: Flush
  #queues = new Map<Topic, Map<number, Waiting>>()
  #scheduled = false

  constructor(flush: Flush) {
    this.#flush = flush
  }

  append(topic: Topic, drafts: readonly AppendUnit[]): Promise<readonly AppendResult[]> {
    // All are prepared before one is queued: a mistake of the caller throws, and then nothing may be under way.
    const prepared = drafts.map((draft) => prepare(topic, draft))
    const append = new PendingAppend(prepared.length)
    for (let place = 0; place < prepared.length; place++) {
      const unit = prepared[place] as Prepared | MillraceError
      if (unit instanceof MillraceError) append.take(place, { status: 'refused', error: unit })
      else this.#queue(topic, partitionOfKey(topic, unit.key)).add(unit, append, place)
    }
    return append.answer
  }

  #queue(topic: Topic, partition: number): Waiting {
    let queues = this.#queues.get(topic)
    if (!queues) this.#queues.set(topic, (queues = new Map<number, Waiting>()))
    let queue = queues.get(partition)
    if (!queue) queues.set(partition, (queue = new Waiting()))
    if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => this.#flushAll())
    }
    return queue
  }

  #flushAll(): void {
    this.#scheduled = false
    const all = this.#queues
    // A new map rather than clear(): V8 links a cleared table to the next, and an old one that has been promoted
    // keeps everything alive that was ever queued since, until a full collection (+0.9 µs an event).
    this.#queues = new Map()
    for (const [topic, queues] of all)
      for (const [partition, queue] of queues) void this.#drain(topic, partition, queue)
  }

  async #drain(topic: Topic, partition: number, queue: Waiting): Promise<void> {
    for (let part = queue.next(); part.units.length > 0; part = queue.next()) {
      try {
        part.take(await this.#flush(topic, partition, part.units))
      } catch (error) {
        part.fail(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }
}

/** Units that wait for one partition, each with the append that it belongs to and its place there. */
class Waiting {
  readonly units: Prepared[] = []
  readonly #appends: PendingAppend[] = []
  readonly #places: number[] = []
  #at = 0

  add(unit: Prepared, append: PendingAppend, place: number): void {
    this.units.push(unit)
    this.#appends.push(append)
    this.#places.push(place)
  }

  /** The next units that fit into one script call; none at the end. Units of a failed append are left out. */
  next(): Waiting {
    const part = new Waiting()
    let events = 0
    let bytes = 0
    for (; this.#at < this.units.length; this.#at++) {
      const unit = this.units[this.#at] as Prepared
      const append = this.#appends[this.#at] as PendingAppend
      if (append.error) {
        append.fail(append.error)
        continue
      }
      events += unit.texts.length
      bytes += unit.bytes
      const full =
        part.units.length >= mostUnits || events > limits.appendEvents || bytes > limits.appendBytes
      if (full && part.units.length > 0) break
      part.add(unit, append, this.#places[this.#at] as number)
    }
    return part
  }

  take(results: readonly AppendResult[]): void {
    for (let at = 0; at < results.length; at++)
      this.#appends[at]?.take(this.#places[at] as number, results[at] as AppendResult)
  }

  fail(error: Error): void {
    for (const append of this.#appends) append.fail(error)
  }
}
