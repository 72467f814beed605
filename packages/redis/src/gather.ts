import { limits, MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import { type AppendResult, type AppendUnit, prepare, type Prepared } from '@millrace/log'
import type { PartitionUnits } from './append.ts'
import { type CreateKind, createKindOf } from './append-creates.ts'
import { PendingAppend } from './pending-append.ts'

/**
 * Appends gathered units, by one call: to one partition, or to several of a topic that lies in one slot. Answers for
 * each its results, or why nothing of it was written. Where it is told a kind, all are creates of that kind and their
 * order is free; one that it says nothing of is to be sent again without a kind.
 */
export type Flush = (
  topic: Topic,
  parts: readonly PartitionUnits[],
  kind?: CreateKind,
) => Promise<readonly (readonly (AppendResult | undefined)[] | MillraceError)[]>

// As many events as one stream entry takes: cutting the text of a call into several costs 0.7 µs an event, and a
// smaller script keeps other clients' waits short.
const mostUnits = 100
// Clients that wait for their answers come in crowds: all of a crowd in one call, this process would be idle while Redis
// works, and Redis while this process does. With 64 of them, calls of 16 gave a third more than calls of all.
const mostCreates = 16
// With so many under way Redis is busy; what comes meanwhile makes the next calls larger.
const mostUnderWay = 4

/**
 * Gathers what is appended in one turn of the event loop, and while a call is under way, so that it costs one script
 * call: the busier, the larger the calls. What fills a call does not wait. What is too much for one goes in several, one
 * after the other: units of one append keep their order, also when one fails. Creates, whose order is free, go in smaller
 * calls, several of them under way.
 */
export class Gather {
  readonly #flush: Flush
  readonly #lines = new WeakMap<Topic, Map<CreateKind | number, Line>>()
  #due: Line[] = []

  constructor(flush: Flush) {
    this.#flush = flush
  }

  append(topic: Topic, drafts: readonly AppendUnit[]): Promise<readonly AppendResult[]> {
    // All are prepared before one is queued: a mistake of the caller throws, and then nothing may be under way.
    const prepared = drafts.map((draft) => prepare(topic, draft))
    const append = new PendingAppend(prepared.length)
    // Among several units the order counts, and only the append script keeps it.
    const kindOf = prepared.length === 1 ? createKindOf : ordered
    for (let place = 0; place < prepared.length; place++) {
      const unit = prepared[place] as Prepared | MillraceError
      if (unit instanceof MillraceError) append.take(place, { status: 'refused', error: unit })
      else this.#queue(topic, unit, append, place, kindOf(unit))
    }
    return append.answer
  }

  #queue(topic: Topic, unit: Prepared, append: PendingAppend, place: number, kind?: CreateKind): void {
    const partition = partitionOfKey(topic, unit.key)
    const line = this.#lineOf(topic, partition, kind)
    line.waiting.add(partition, unit, append, place)
    const { size } = line.waiting
    // Creates may overtake each other: Redis begins with some while this process goes on with the rest of the turn.
    if (kind !== undefined && size >= mostCreates && line.underWay < mostUnderWay)
      return void this.#send(line)
    // It has begun to wait, or is full: looked at when this turn of the event loop is over.
    if (size !== 1 && size !== mostUnits) return
    if (this.#due.length === 0) setImmediate(() => this.#sendDue())
    this.#due.push(line)
  }

  /** All partitions of a topic in one slot share a line, and creates of one kind have their own; else each has its own. */
  #lineOf(topic: Topic, partition: number, kind?: CreateKind): Line {
    let lines = this.#lines.get(topic)
    if (!lines) this.#lines.set(topic, (lines = new Map<CreateKind | number, Line>()))
    const name = kind ?? (topic.placement === 'together' ? 0 : partition)
    let line = lines.get(name)
    if (!line) lines.set(name, (line = { topic, kind, waiting: new Waiting(), underWay: 0 }))
    return line
  }

  #sendDue(): void {
    const due = this.#due
    this.#due = []
    for (const line of due) if (line.underWay === 0 || line.waiting.size >= mostUnits) void this.#send(line)
  }

  #again(topic: Topic): Again {
    return (unit, append, place) => this.#queue(topic, unit, append, place)
  }

  async #send(line: Line): Promise<void> {
    const { topic, waiting, kind } = line
    if (waiting.size === 0) return
    line.waiting = new Waiting()
    line.underWay += 1
    for (let call = waiting.next(); call.length > 0; call = waiting.next()) {
      try {
        const answers = await this.#flush(topic, call, kind)
        for (let at = 0; at < call.length; at++) call[at]?.settle(answers[at], kind && this.#again(topic))
      } catch (error) {
        for (const part of call) part.settle(error instanceof Error ? error : new Error(String(error)))
      }
    }
    line.underWay -= 1
    if (line.underWay === 0 || kind !== undefined) void this.#send(line)
  }
}

function ordered(): undefined {
  return undefined
}

/** Takes a unit that was left over. */
type Again = (unit: Prepared, append: PendingAppend, place: number) => void

/** The way to one partition, or to all of a topic. */
interface Line {
  readonly topic: Topic
  readonly kind: CreateKind | undefined
  waiting: Waiting
  /** Calls that were sent and not answered. */
  underWay: number
}

/** Units that wait, by partition. */
class Waiting {
  size = 0
  readonly #parts: Part[] = []

  add(partition: number, unit: Prepared, append: PendingAppend, place: number): void {
    this.size += 1
    let part = this.#parts.find((one) => one.partition === partition)
    if (!part) this.#parts.push((part = new Part(partition)))
    part.add(unit, append, place)
  }

  /** What goes into the next script call; nothing at the end. */
  next(): readonly Part[] {
    const room = { units: mostUnits, events: limits.appendEvents, bytes: limits.appendBytes }
    const call: Part[] = []
    for (const part of this.#parts) {
      if (part.isEmpty) continue
      const piece = part.next(room)
      if (piece.units.length > 0) call.push(piece)
    }
    return call
  }
}

/** What a script call may still hold. */
interface Room {
  units: number
  events: number
  bytes: number
}

/** Units of one partition, each with the append that it belongs to and its place there. */
class Part implements PartitionUnits {
  readonly partition: number
  readonly units: Prepared[] = []
  readonly #appends: PendingAppend[] = []
  readonly #places: number[] = []
  #at = 0
  #events = 0
  #bytes = 0

  constructor(partition: number) {
    this.partition = partition
  }

  /** Everything has been taken. */
  get isEmpty(): boolean {
    return this.#at === this.units.length
  }

  add(unit: Prepared, append: PendingAppend, place: number): void {
    this.units.push(unit)
    this.#appends.push(append)
    this.#places.push(place)
    this.#events += unit.texts.length
    this.#bytes += unit.bytes
  }

  /** The next units that the room allows, which it is made less by. Units of a failed append are left out. */
  next(room: Room): Part {
    return this.#at === 0 && this.#fits(room) ? this.#whole(room) : this.#piece(room)
  }

  // Nearly always everything goes at once: then nothing has to be copied.
  #fits(room: Room): boolean {
    return (
      this.units.length <= room.units &&
      this.#events <= room.events &&
      this.#bytes <= room.bytes &&
      this.#appends.every((append) => append.error === undefined)
    )
  }

  #whole(room: Room): Part {
    this.#at = this.units.length
    room.units -= this.units.length
    room.events -= this.#events
    room.bytes -= this.#bytes
    return this
  }

  #piece(room: Room): Part {
    const taken = new Part(this.partition)
    for (; this.#at < this.units.length; this.#at++) {
      const unit = this.units[this.#at] as Prepared
      const append = this.#appends[this.#at] as PendingAppend
      if (append.error) {
        append.fail(append.error)
        continue
      }
      const { length } = unit.texts
      const fits = room.units > 0 && length <= room.events && unit.bytes <= room.bytes
      // A call takes its first unit whatever its size.
      if (!fits && room.units < mostUnits) break
      room.units -= 1
      room.events -= length
      room.bytes -= unit.bytes
      taken.add(unit, append, this.#places[this.#at] as number)
    }
    return taken
  }

  /** Hands on the results, or why there are none. */
  settle(answer: readonly (AppendResult | undefined)[] | Error | undefined, again?: Again): void {
    for (let at = 0; at < this.#appends.length; at++) {
      const append = this.#appends[at] as PendingAppend
      const place = this.#places[at] as number
      if (answer instanceof Error) append.fail(answer)
      else {
        const result = answer?.[at]
        if (result) append.take(place, result)
        else if (again) again(this.units[at] as Prepared, append, place)
        else append.fail(new TypeError('A unit was not answered'))
      }
    }
  }
}
