import type { Event, Topic } from '@millrace/event'
import type {
  AppendResult,
  AppendUnit,
  ChannelBatch,
  ChannelResult,
  ChannelState,
  Fence,
  FenceResult,
} from './append.ts'
import type { Position } from './position.ts'

/** An event with its place on the log. */
export interface Recorded<E extends Event = Event> {
  readonly event: E
  readonly position: Position
}

/** How far a partition goes. */
export interface Tip {
  readonly partition: number
  /** Stream id of the last event; `0-0` when there is none. */
  readonly id: string
  /** Events appended since the beginning. */
  readonly seq: number
}

/** Where to go on reading, by partition: the stream id of the last event that one has. */
export type Cursors = ReadonlyMap<number, string>

/** Bounds of a read. */
export interface ReadOptions {
  /** Most events a partition. Default 500; an answer may hold up to one entry more. */
  readonly limit?: number
  /** How long to wait for the first event, in ms. Default 0: answer at once. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
  /**
   * The next read will go on where this one ends, and may be asked for before: where there is enough, its answer knows
   * nothing of what was appended or trimmed since. For reads of one partition that do not wait. Default: false.
   */
  readonly ahead?: boolean
}

/** A part of one key's history, in order. */
export interface KeyHistory {
  readonly events: readonly Recorded[]
  /** Events that the key has in all. */
  readonly version: number
}

/** The log: the only place where events are written and read. */
export interface EventLog {
  /**
   * Appends units. Those of one partition are judged and written in the order given; partitions do not wait
   * for one another. Each unit is one atomic step.
   * Idempotent by (source, id). The answer has one result a unit.
   *
   * @throws MillraceError `log.unavailable` (surely nothing written), `append.unknown` (repeat it), `append.limit`
   */
  append(topic: Topic, units: readonly AppendUnit[]): Promise<readonly AppendResult[]>

  /** Appends by channel: takes what comes next, knows what it has, refuses a gap, and whoever was fenced off. */
  appendChannel(topic: Topic, batch: ChannelBatch): Promise<ChannelResult>

  /** Where a channel stands in a partition. */
  channel(topic: Topic, partition: number, channel: string): Promise<ChannelState>

  /** From now on a batch with a fence of this name is taken in this partition with this token alone. May be repeated. */
  fence(topic: Topic, partition: number, fence: Fence): Promise<FenceResult>

  /**
   * Events after the cursors, in order for each partition; a partition without news is absent.
   *
   * @throws MillraceError `log.gap`, `log.trimmed`, `log.corrupt`, `log.unavailable`
   */
  read(topic: Topic, after: Cursors, options?: ReadOptions): Promise<ReadonlyMap<number, readonly Recorded[]>>

  /**
   * Events of one key after its first `afterVersion` ones. Default limit 500.
   *
   * @throws MillraceError `log.trimmed`, `log.corrupt` or `event.invalid` for an event that is not there any more, or
   *   spoilt: its stream id is in the details (`id`), and how many of those asked for come before it (`before`)
   */
  readKey(
    topic: Topic,
    key: string,
    options?: { readonly afterVersion?: number; readonly limit?: number },
  ): Promise<KeyHistory>

  /** The event at a position, if it is there. */
  readAt(topic: Topic, position: Position): Promise<Recorded | undefined>

  /** How far each partition goes; with `beforeMs`, how far it went before that time (ms since the epoch). */
  tips(topic: Topic, options?: { readonly beforeMs?: number }): Promise<readonly Tip[]>
}

/** Appends one unit and throws its refusal. */
export async function appendOne(
  log: Pick<EventLog, 'append'>,
  topic: Topic,
  unit: AppendUnit,
): Promise<Exclude<AppendResult, { status: 'refused' }>> {
  const [result] = await log.append(topic, [unit])
  if (!result) throw new TypeError('The log answered without a result')
  if (result.status === 'refused') throw result.error
  return result
}
