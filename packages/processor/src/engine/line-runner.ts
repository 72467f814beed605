import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { backoffMs } from '@millrace/retry'
import type { GroupPartition } from '../group-store.ts'
import { Delivery } from '../lane/delivery.ts'
import type { Ruling } from '../ruling.ts'
import { fateOfUnreadable } from './arrival.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import { type LineSource, placeBehind, readBeside, readOn, versionOf } from './line-reader.ts'
import { factsOfLost, standIn } from './lost-event.ts'
import { type HeadFacts, headOf } from './park-of.ts'
import type { LineRun, ParkedLine } from './parked-line.ts'
import { ruledArrival } from './ruled.ts'
import { sleep } from './sleep.ts'

const retry = { firstMs: 50, maxMs: 2_000 }
/** Events of a line that are read at once. */
const pageSize = 200

/** What a line runner tells the engine that it works for. */
export interface LineOwner {
  /** More of a line can be handed over, and what was held back committed. */
  read(slot: KeySlot): void
  failed(error: unknown): void
}

/**
 * Reads the lines of parked keys again, page by page, and hands them to the lanes of their keys: the head first, then
 * what waits behind it.
 */
export class LineRunner {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #lanes: KeyLanes
  readonly #owner: LineOwner
  readonly #ending = new AbortController()

  constructor(settings: EngineSettings, at: GroupPartition, lanes: KeyLanes, owner: LineOwner) {
    this.#settings = settings
    this.#at = at
    this.#lanes = lanes
    this.#owner = owner
  }

  /** Begins with the head of a parked key that is due, of which no commit is to say anything. */
  begin(slot: KeySlot, line: ParkedLine, markMs: number): void {
    line.run = {
      markMs,
      readSeq: (line.head?.seq ?? 0) - 1,
      version: undefined,
      reading: false,
      proven: false,
    }
    this.#readPage(slot, line, line.run)
  }

  /** A delivery of a line was settled: reads on when little is left of what was read. */
  more(slot: KeySlot): void {
    const line = slot.parked
    const run = line?.run
    if (line === undefined || run === undefined) return
    run.proven = true
    if (run.reading || line.atEnd) return
    if (slot.waiting.length < pageSize / 2) this.#readPage(slot, line, run)
  }

  end(): void {
    this.#ending.abort()
  }

  #readPage(slot: KeySlot, line: ParkedLine, run: LineRun): void {
    run.reading = true
    void this.#read(slot, line, run)
  }

  async #read(slot: KeySlot, line: ParkedLine, run: LineRun): Promise<void> {
    const { timers, random, tell } = this.#settings
    for (let failures = 0; !this.#ending.signal.aborted && line.run === run;) {
      try {
        const page = await this.#page(line, run)
        run.reading = false
        if (!this.#ending.signal.aborted && line.run === run) this.#handOver(slot, line, run, page)
        return
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) {
          this.#owner.failed(error)
          return
        }
        tell({ kind: 'trouble', partition: this.#at.partition, error })
        failures += 1
        await sleep(timers, backoffMs(retry, failures, random()), this.#ending.signal)
      }
    }
  }

  async #page(line: ParkedLine, run: LineRun): Promise<Page> {
    const { log, processor, store } = this.#settings
    const source = { log, topic: processor.topic, key: line.key }
    try {
      run.version ??= await this.#versionOf(line, source)
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'log.trimmed')) throw error
      return this.#pageWithout(line, run, source, error)
    }
    // Most attempts fail: until the head has not, nothing is read behind it.
    const { events, lost } = await readOn(source, run.version, run.proven ? pageSize : 1)
    if (((lost ?? events[0]?.position)?.seq ?? Infinity) > line.last)
      return this.#pageBeside(line, run, source)
    if (lost !== undefined) {
      const { seq, error } = lost
      const facts = seq === line.head?.seq ? line.head : factsOfLost(lost)
      return { events: [], rulings: await store.rulings(this.#at, [seq]), missing: { facts, error } }
    }
    const seqs = events.map(({ position }) => position.seq)
    return { events, rulings: await store.rulings(this.#at, seqs) }
  }

  /** The index of the key ends before its line does. */
  async #pageBeside(line: ParkedLine, run: LineRun, source: LineSource): Promise<Page> {
    const { log, store } = this.#settings
    const { partition } = this.#at
    const range = { id: line.newest.id, afterSeq: run.readSeq, last: line.last }
    const found = await readBeside({ ...source, log }, partition, range)
    return { events: [found], rulings: await store.rulings(this.#at, [found.position.seq]), beside: true }
  }

  /** The head is not on the log any more: its key is held, unless an operator has said what is to be done without it. */
  async #pageWithout(line: ParkedLine, run: LineRun, source: LineSource, error: unknown): Promise<Page> {
    const facts = line.head ?? line.newest
    run.version = await placeBehind(source, facts.seq)
    const rulings = await this.#settings.store.rulings(this.#at, [facts.seq])
    return { events: [], rulings, missing: { facts, error }, beside: true }
  }

  async #versionOf(line: ParkedLine, source: LineSource): Promise<number> {
    const seq = line.head?.seq ?? 0
    if (line.found?.seq !== seq) line.found = { seq, version: await versionOf(source, seq, line.lined) }
    return line.found.version
  }

  #handOver(slot: KeySlot, line: ParkedLine, run: LineRun, page: Page): void {
    const { events, rulings, missing, beside } = page
    const { types } = this.#settings.processor
    if (missing !== undefined) {
      run.readSeq = missing.facts.seq
      if (!beside) run.version = (run.version ?? 0) + 1
      this.#takeMissing(slot, line, missing, rulings.get(run.readSeq))
    }
    for (const recorded of events) {
      const { seq } = recorded.position
      if (seq > line.last) break
      run.readSeq = seq
      if (!beside) run.version = (run.version ?? 0) + 1
      const head = seq === line.head?.seq
      if (recorded.event.subject !== line.key) {
        // What cannot be read may not say any more whose it is: then it is in another line, unless it is the head of this.
        if (head && line.head) {
          const error = new MillraceError('event.invalid', `Event ${seq} does not say any more whose it is`)
          this.#takeMissing(slot, line, { facts: line.head, error }, rulings.get(seq))
        }
        continue
      }
      const foreign = types !== undefined && !types.has(recorded.event.type)
      if (foreign && !head) continue
      // The types that the group handles may have changed since it became the head.
      const ruling = foreign ? ignored : rulings.get(seq)
      this.#take(slot, line, recorded, ruling, head)
    }
    slot.phase = 'open'
    this.#lanes.wake(slot)
    this.#owner.read(slot)
    if (run.proven) this.more(slot)
  }

  #take(
    slot: KeySlot,
    line: ParkedLine,
    recorded: Recorded,
    ruling: Ruling | undefined,
    head: boolean,
  ): void {
    const delivery = ruledArrival(this.#settings.processor, recorded, ruling, this.#lanes.fates)
    delivery.origin = 'line'
    delivery.ruling = ruling
    if (head) this.#resume(slot, line, delivery, ruling)
    else line.handOver(headOf(recorded))
    slot.waiting.push(delivery)
  }

  /** It is given up, or its key held, as the processor says, unless an operator has said what is to be done without it. */
  #takeMissing(
    slot: KeySlot,
    line: ParkedLine,
    { facts, error }: MissingEvent,
    ruling: Ruling | undefined,
  ): void {
    const { processor } = this.#settings
    const { fates } = this.#lanes
    const recorded = standIn(this.#at, line.key, facts)
    const head = facts.seq === line.head?.seq
    const decided = ruling !== undefined && ruling.kind !== 'requeued'
    const delivery = decided ? ruledArrival(processor, recorded, ruling, fates) : Delivery.ofEvent(recorded)
    if (!decided) fates.set(delivery, fateOfUnreadable(processor, error, head ? line.note.tries : []))
    delivery.origin = 'line'
    delivery.ruling = ruling
    if (head) this.#resume(slot, line, delivery, ruling)
    else line.handOver(facts)
    slot.waiting.push(delivery)
  }

  /** The head goes on with the attempts that it has cost; a ruling that it was not tried under begins a new count. */
  #resume(slot: KeySlot, { note }: ParkedLine, delivery: Delivery, ruling: Ruling | undefined): void {
    const anew = ruling !== undefined && ruling.atMs > (note.ruledMs ?? 0)
    slot.ruledMs = ruling?.atMs ?? note.ruledMs
    slot.tries = anew ? [] : note.tries
    slot.firstFailedMs = note.sinceMs
    // Behind the number of quick retries: from the line it is parked again.
    slot.failures = Math.max(1, note.attempts)
    const attempt = anew ? 1 : note.attempts + 1
    delivery.attempt = attempt
    if (note.timer === undefined) return
    const firing = Delivery.ofTimer(slot.key, note.timer)
    firing.attempt = attempt
    slot.waiting.push(firing)
  }
}

interface Page {
  readonly events: readonly Recorded[]
  readonly rulings: ReadonlyMap<number, Ruling>
  readonly missing?: MissingEvent
  /** The index of the key does not have them. */
  readonly beside?: true
}

/** An event of a line that could not be read. */
interface MissingEvent {
  readonly facts: HeadFacts
  readonly error: unknown
}

const ignored = {
  kind: 'ignored',
  by: '',
  reason: '',
  atMs: 0,
  id: '',
  digest: '',
  of: 'parked',
} as const satisfies Ruling
