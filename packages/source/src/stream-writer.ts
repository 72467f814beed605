import { type Event, partitionOfKey, type Topic } from '@millrace/event'
import type { ChannelLine, Outgoing } from './channel-line.ts'
import { compareMarks, formatMark, parseMark, type ResumeMark } from './resume-mark.ts'

/** What was collected and is not on its way yet. */
interface Pending {
  readonly byLine: Map<ChannelLine, Outgoing[]>
  events: number
  bytes: number
}

const empty = (): Pending => ({ byLine: new Map(), events: 0, bytes: 0 })

/** Most of what is collected while a step is under way. */
const most = { events: 4_000, bytes: 8 * 1024 * 1024 } as const

/** Events that are worth a step by themselves, and how long fewer wait for more, in ms. */
const goodStep = 250
const companyMs = 2

/**
 * Brings the events of a stream to their lines: one step of all lines at a time, and what comes meanwhile makes up the
 * next one. Lines without news are brought up to date by `settle`.
 */
export class StreamWriter {
  readonly #lines: ReadonlyMap<string, ChannelLine>
  /** Where each line stood at the beginning: it has what came before. */
  readonly #from: ReadonlyMap<ChannelLine, ResumeMark>
  readonly #onFailure: (error: unknown) => void
  #pending = empty()
  #end: ResumeMark
  #done: ResumeMark
  #work: Promise<void> | undefined
  #soon: NodeJS.Timeout | undefined
  #isOver = false
  #failure: { readonly error: unknown } | undefined
  #settle = false
  #settled: ResumeMark
  written = 0

  /** @param onFailure Hears of the first step that fails, while nobody may be waiting for it. */
  constructor(lines: readonly ChannelLine[], start: ResumeMark, onFailure: (error: unknown) => void) {
    this.#lines = new Map(lines.map((line) => [nameOf(line.place.topic, line.place.partition), line]))
    this.#from = new Map(lines.map((line) => [line, line.mark === undefined ? start : parseMark(line.mark)]))
    this.#onFailure = onFailure
    this.#end = start
    this.#done = start
    this.#settled = start
  }

  /** Everything before is on the log. */
  get done(): ResumeMark {
    return this.#done
  }

  /** What one change became. Lines that have it already are left alone. */
  add(topic: Topic, events: readonly Event[], mark: ResumeMark, bytes: number): void {
    const text = formatMark(mark)
    for (const event of events) {
      const line = this.#lines.get(nameOf(topic, partitionOfKey(topic, event.subject)))
      if (!line) throw new TypeError(`Topic ${topic.name} has no line`)
      if (compareMarks(mark, this.#from.get(line) as ResumeMark) <= 0) continue
      const list = this.#pending.byLine.get(line)
      if (list) list.push({ event, mark: text, bytes })
      else this.#pending.byLine.set(line, [{ event, mark: text, bytes }])
      this.#pending.events += 1
      this.#pending.bytes += bytes
    }
  }

  /** Everything before was added; nothing needs to be waited for unless too much has been collected. */
  reach(end: ResumeMark): Promise<void> | undefined {
    if (compareMarks(end, this.#end) > 0) this.#end = end
    if (this.#pending.events === 0 && this.#work === undefined) {
      this.#done = this.#end
      return undefined
    }
    const { events, bytes } = this.#pending
    // A step costs more than its events: while more is at hand, it waits a moment for company.
    if (events >= goodStep) this.#begin()
    else this.#beginSoon()
    return events > most.events || bytes > most.bytes ? this.drain() : undefined
  }

  /** Resolves when everything that was added is on the log. */
  async drain(): Promise<void> {
    do {
      if (this.#failure) throw this.#failure.error
      if (this.#isOver) return
      this.#begin()
      await this.#work
    } while (this.#pending.events > 0 || this.#work !== undefined || this.#failure)
  }

  /** Brings every line's mark to where the stream is. Everything before the answer is on the log, and every line says so. */
  async settle(): Promise<ResumeMark> {
    this.#settle = true
    while (this.#settle && !this.#isOver) {
      if (this.#failure) throw this.#failure.error
      this.#begin()
      await this.#work
    }
    return this.#settled
  }

  /** Begins nothing more; resolves when what is under way has ended. */
  async end(): Promise<void> {
    clearTimeout(this.#soon)
    this.#isOver = true
    await this.#work
  }

  #beginSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.#begin()
    }, companyMs)
  }

  #begin(): void {
    if (
      this.#isOver ||
      this.#work !== undefined ||
      this.#failure ||
      !(this.#pending.events > 0 || this.#settle)
    )
      return
    this.#work = this.#steps().then(
      () => {
        this.#work = undefined
      },
      (error: unknown) => {
        this.#failure = { error }
        this.#work = undefined
        this.#onFailure(error)
      },
    )
  }

  // One at a time, because each counts on what the one before has left in the channels.
  async #steps(): Promise<void> {
    while (!this.#isOver && (this.#pending.events > 0 || this.#settle)) {
      const { byLine, events } = this.#pending
      const end = this.#end
      this.#pending = empty()
      const text = formatMark(end)
      await Promise.all([...byLine].map(([line, all]) => line.send(all, text)))
      this.written += events
      this.#done = end
      if (this.#settle) {
        const late = [...this.#lines.values()].filter((line) => isBefore(line, end))
        await Promise.all(late.map((line) => line.send([], text)))
        this.#settled = end
        this.#settle = false
      }
    }
    if (!this.#isOver) this.#done = this.#end
  }
}

function isBefore(line: ChannelLine, mark: ResumeMark): boolean {
  return line.mark === undefined || compareMarks(parseMark(line.mark), mark) < 0
}

function nameOf(topic: Topic, partition: number): string {
  return `${topic.name}/${partition}`
}
