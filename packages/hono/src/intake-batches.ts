import { type Event, type FieldError, MillraceError, type Topic } from '@millrace/event'
import { type AppendResult, type EventLog, formatPosition } from '@millrace/log'
import { eventOfCloudEvent, type EventDefaults } from './cloud-event.ts'
import type { IntakeItem } from './intake-items.ts'

/** What became of one line. */
interface IntakeLine {
  readonly line: number
  /** `unknown`: it may be on the log; repeat the request, what is there answers `duplicate`. */
  readonly status: 'appended' | 'duplicate' | 'refused' | 'unknown'
  readonly id?: string
  readonly position?: string
  readonly code?: string
  readonly detail?: string
  readonly errors?: readonly FieldError[]
}

/** What became of a request. */
export interface IntakeOutcome {
  readonly lines: readonly IntakeLine[]
  /** The first refusal, for a request of one event. */
  readonly refusal: MillraceError | undefined
  /** Why the rest was not read, if it was not. */
  readonly stopped: MillraceError | undefined
}

/** Events that one append takes. */
const batchEvents = 500

/**
 * Appends the items in order: several an append, one append at a time, so that events of one key keep their
 * order. A line that is refused does not hold up the others; a log that fails does.
 */
export async function takeIn(
  log: Pick<EventLog, 'append'>,
  topic: Topic,
  items: AsyncIterable<IntakeItem>,
  defaults: EventDefaults,
): Promise<IntakeOutcome> {
  const taking = new Taking(log, topic)
  try {
    for await (const item of items) {
      taking.add(item, defaults)
      if (taking.waiting >= batchEvents) await taking.flush()
    }
    await taking.flush()
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    // The body broke off, but what had come before is whole and is taken.
    if (!taking.failed) await taking.flushQuietly()
    return taking.outcome(error)
  }
  return taking.outcome(undefined)
}

class Taking {
  readonly #log: Pick<EventLog, 'append'>
  readonly #topic: Topic
  readonly #lines: IntakeLine[] = []
  readonly #events: Event[] = []
  // Index in #lines of each event that waits.
  readonly #places: number[] = []
  #refusal: MillraceError | undefined
  failed = false

  constructor(log: Pick<EventLog, 'append'>, topic: Topic) {
    this.#log = log
    this.#topic = topic
  }

  get waiting(): number {
    return this.#events.length
  }

  add({ line, value, error }: IntakeItem, defaults: EventDefaults): void {
    try {
      if (error) throw error
      const event = eventOfCloudEvent(this.#topic, value, defaults)
      this.#places.push(this.#lines.length)
      this.#events.push(event)
      this.#lines.push({ line, status: 'unknown', id: event.id })
    } catch (fault) {
      if (!(fault instanceof MillraceError)) throw fault
      this.#lines.push(this.#refused(line, fault))
    }
  }

  async flush(): Promise<void> {
    const events = this.#events.splice(0)
    const places = this.#places.splice(0)
    if (events.length === 0) return
    try {
      const results = await this.#log.append(
        this.#topic,
        events.map((event) => ({ events: [event] })),
      )
      for (const [at, result] of results.entries()) this.#settle(places[at] ?? 0, result)
    } catch (error) {
      this.failed = true
      if (error instanceof MillraceError)
        for (const place of places) {
          const { line, id } = this.#lines[place] as IntakeLine
          const status = error.code === 'append.unknown' ? 'unknown' : 'refused'
          this.#lines[place] = {
            ...(id === undefined ? {} : { id }),
            line,
            status,
            code: error.code,
            detail: error.message,
          }
        }
      throw error
    }
  }

  /** Like {@link flush}, when there is an earlier error to tell of: the lines say what became of them. */
  async flushQuietly(): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
    }
  }

  outcome(stopped: MillraceError | undefined): IntakeOutcome {
    return { lines: this.#lines, refusal: this.#refusal, stopped }
  }

  #settle(place: number, result: AppendResult): void {
    const { line, id } = this.#lines[place] as IntakeLine
    const named = id === undefined ? {} : { id }
    if (result.status === 'refused') this.#lines[place] = { ...this.#refused(line, result.error), ...named }
    else {
      const position = result.status === 'unchanged' ? result.position : result.positions[0]
      const status = result.status === 'appended' ? 'appended' : 'duplicate'
      this.#lines[place] = {
        line,
        status,
        ...named,
        ...(position ? { position: formatPosition(position) } : {}),
      }
    }
  }

  #refused(line: number, error: MillraceError): IntakeLine {
    this.#refusal ??= error
    const errors = error.errors.length === 0 ? {} : { errors: error.errors }
    return { line, status: 'refused', code: error.code, detail: error.message, ...errors }
  }
}
