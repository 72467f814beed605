import { type Event, limits, MillraceError, type Topic } from '@millrace/event'
import type { EventLog, Fence } from '@millrace/log'
import { abortablePause } from './abortable-pause.ts'

/** What a line needs of the log. */
export type ChannelLog = Pick<EventLog, 'appendChannel' | 'channel' | 'fence'>

/** Where a line leads. */
export interface LinePlace {
  readonly topic: Topic
  readonly partition: number
  readonly channel: string
  readonly incarnation: number
  readonly fence: Fence
}

/** An event with what is written beside the channel's number once it is in. */
export interface Outgoing {
  readonly event: Event
  readonly mark: string
  /** Roughly. */
  readonly bytes: number
}

// JSON may be some times longer than what the source counts; the log's limit is 4 MiB.
const mostBytes = 1024 * 1024
const firstWaitMs = 50
const longestWaitMs = 2_000

/**
 * A pipeline's line into one partition, counted by the channel there. Every step names what comes next, so that a step
 * whose outcome is unknown is simply repeated, and two readers that count the same stream put each event in once.
 */
export class ChannelLine {
  readonly place: LinePlace
  /** What stands beside the number; undefined before the first step. */
  mark: string | undefined
  #last: number
  readonly #log: ChannelLog
  readonly #signal: AbortSignal

  private constructor(
    log: ChannelLog,
    place: LinePlace,
    signal: AbortSignal,
    state: { last: number; mark: string | undefined },
  ) {
    this.#log = log
    this.place = place
    this.#signal = signal
    this.#last = state.last
    this.mark = state.mark
  }

  /** Finds out where the channel stands; to be called behind the fence, where nobody else can move it. */
  static async open(log: ChannelLog, place: LinePlace, signal: AbortSignal): Promise<ChannelLine> {
    const state = await log.channel(place.topic, place.partition, place.channel)
    const begun = state.incarnation === place.incarnation
    return new ChannelLine(log, place, signal, begun ? state : { last: 0, mark: undefined })
  }

  /**
   * Appends events in their order. After the last one `mark` stands beside the number; without events it stands there alone.
   *
   * @throws MillraceError `append.channel-fenced`, `append.channel-gap`; what the topic refuses
   */
  async send(events: readonly Outgoing[], mark: string): Promise<void> {
    let from = 0
    do {
      const to = endOfBatch(events, from)
      const batch = events.slice(from, to)
      await this.#step(batch, to === events.length ? mark : (batch.at(-1) as Outgoing).mark)
      from = to
    } while (from < events.length)
  }

  async #step(batch: readonly Outgoing[], mark: string): Promise<void> {
    const { topic, partition, channel, incarnation, fence } = this.place
    const step = {
      partition,
      channel,
      incarnation,
      first: this.#last + 1,
      events: batch.map(({ event }) => event),
      mark,
      fence,
    }
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      this.#signal.throwIfAborted()
      try {
        const result = await this.#log.appendChannel(topic, step)
        if (result.status === 'refused') throw result.error
        break
      } catch (error) {
        if (!(error instanceof MillraceError && repeatable.has(error.code))) throw error
        await abortablePause(waitMs, this.#signal)
      }
    }
    this.#last += batch.length
    this.mark = mark
  }
}

// Nothing was written, or nobody knows: the same step again finds out.
const repeatable: ReadonlySet<string> = new Set(['append.unknown', 'log.unavailable'])

/** As many events as an append takes, but never a part of what one change became. */
function endOfBatch(events: readonly Outgoing[], from: number): number {
  let bytes = 0
  let end = from
  for (let at = from; at < events.length && at - from < limits.appendEvents; at++) {
    const one = events[at] as Outgoing
    bytes += one.bytes
    const whole = events[at + 1]?.mark !== one.mark
    if (bytes > mostBytes && end > from) break
    if (whole) end = at + 1
  }
  return end
}
