import { type Event, newEvent, partitionOfKey, type Topic, VirtualTime } from '@millrace/event'
import { createMemoryLog, type EventLog } from '@millrace/log'
import {
  type ConsumerEvent,
  createMemoryGroupStore,
  type DraftOf,
  type EngineBounds,
  type GroupPartition,
  type GroupStore,
  type Processor,
  run,
  type Running,
} from '@millrace/processor'
import type { EffectSeen, EmittedEvent, EventSeen, Outcome } from './outcome.ts'
import { Quiet } from './quiet.ts'
import { heardEmits, type Seen, watched } from './watched.ts'

/** An event to append, typed by its topic. `key` defaults to `key`. */
export type GivenEvent<T extends Topic> = DraftOf<T['types']>

/** Options of {@link startKit}. */
export interface KitOptions extends Partial<EngineBounds> {
  /** When the kit's time begins, in ms since the epoch. Default: some day in November 2023. */
  readonly startMs?: number
  /** Carries effects out with their own functions. Default false: they are seen and confirmed, nothing happens. */
  readonly carryOut?: boolean
}

const defaultStartMs = 1_700_000_000_000
/** How long a processor takes at most until it waits for news of all its partitions together, in ms. */
const settlingMs = 1_000
/** Key of events that name none. */
const anyKey = 'key'

/** Starts a processor on everything in memory, with time that passes when the test says so. */
export async function startKit<T extends Topic, S>(
  processor: Processor<T, S>,
  options: KitOptions = {},
): Promise<TestKit<T, S>> {
  const { startMs = defaultStartMs, carryOut = false, ...bounds } = options
  const time = new VirtualTime(startMs - settlingMs)
  const quiet = new Quiet()
  const log = createMemoryLog({ clock: time, timers: time })
  const store = createMemoryGroupStore({ log, clock: time })
  const seen: Seen = { effects: [], emitted: [], news: [] }
  const running = await run(watched(processor, { quiet, seen, carryOut }), {
    commitMs: 0,
    ...bounds,
    log: quiet.counted(heardEmits(log, seen), ['appendChannel', 'channel', 'readKey']),
    store: quiet.counted(store, ['commit', 'loadStates', 'confirmEffects', 'acquire', 'forwarded']),
    clock: time,
    timers: time,
    elapsedMs: () => time.now(),
    random: () => 0.5,
    observe: (event) => seen.news.push(event),
  })
  const kit = new TestKit<T, S>(processor, { log, store, time, quiet, seen, running })
  await kit.pass(settlingMs)
  return kit
}

interface KitParts {
  readonly log: EventLog
  readonly store: GroupStore
  readonly time: VirtualTime
  readonly quiet: Quiet
  readonly seen: Seen
  readonly running: Running
}

/** A processor that runs on everything in memory. */
export class TestKit<T extends Topic, S> {
  readonly log: EventLog
  readonly store: GroupStore
  /** The kit's time. To let it pass use {@link pass}, which waits for what happens meanwhile. */
  readonly time: VirtualTime
  readonly #processor: Processor<T, S>
  readonly #parts: KitParts
  #effectsTaken = 0
  #emitsTaken = 0

  constructor(processor: Processor<T, S>, parts: KitParts) {
    this.#processor = processor
    this.#parts = parts
    this.log = parts.log
    this.store = parts.store
    this.time = parts.time
  }

  /** What the processor has told of itself, as `observe` of `run` hears it. */
  get news(): readonly ConsumerEvent[] {
    return this.#parts.seen.news
  }

  /** Appends events and waits until they are handled, or held by something that waits for time. */
  async append(...drafts: readonly GivenEvent<T>[]): Promise<readonly Event[]> {
    const { topic } = this.#processor
    const events = drafts.map((draft) => newEvent(topic, { ...draft, key: draft.key ?? anyKey }, this.time))
    for (const event of events) {
      const [result] = await this.log.append(topic, [{ events: [event] }])
      if (result?.status === 'refused') throw result.error
    }
    await this.pass(0)
    return events
  }

  /** Lets so many ms pass, and waits for everything that happens meanwhile. */
  async pass(ms: number): Promise<void> {
    const { time, quiet } = this.#parts
    const untilMs = time.now() + ms
    await quiet.wait()
    for (let next = time.nextMs; next !== undefined && next <= untilMs; next = time.nextMs) {
      time.advance(Math.max(0, next - time.now()))
      await quiet.wait()
    }
    time.advance(untilMs - time.now())
    await quiet.wait()
  }

  /** The committed state of a key; of one without a state, what it begins with. */
  async state(key: string = anyKey): Promise<S | undefined> {
    const { state } = this.#processor
    if (state === undefined) return undefined
    const [stored] = await this.store.loadStates(this.#at(partitionOfKey(this.#processor.topic, key)), [key])
    return stored?.state === undefined ? state.initial(key) : (JSON.parse(stored.state.state) as S)
  }

  /** Everything that was emitted, in the order in which it got to the log. */
  get emitted(): readonly EmittedEvent[] {
    return this.#parts.seen.emitted
  }

  /** The effects that were recorded, in order. */
  get effects(): readonly EffectSeen[] {
    return this.#parts.seen.effects
  }

  /** What has come about since this was asked last. */
  async outcome(key: string = anyKey): Promise<Outcome<S>> {
    const { effects, emitted } = this.#parts.seen
    const result = {
      state: await this.state(key),
      emitted: emitted.slice(this.#emitsTaken),
      effects: effects.slice(this.#effectsTaken),
      dead: await this.#everywhere(async (at) =>
        (await this.store.deadLetters(at, { limit: 1_000 })).map(({ key: of, type, message }) => ({
          key: of,
          type,
          reason: message,
        })),
      ),
      deferred: await this.#everywhere(async (at) =>
        (await this.store.deferredKeys(at, { limit: 1_000 })).items.flatMap(({ key: of, events }) =>
          events.map(({ type, why }) => ({ key: of, type, reason: why })),
        ),
      ),
      parked: await this.#everywhere(async (at) =>
        (await this.store.parked(at, { limit: 1_000 })).items.map(({ key: of, note }) => ({
          key: of,
          type: note.type,
          reason: note.message,
        })),
      ),
    }
    this.#emitsTaken = emitted.length
    this.#effectsTaken = effects.length
    return result
  }

  /** Stops the processor. */
  async stop(): Promise<void> {
    const stopped = this.#parts.running.stop()
    await this.pass(0)
    await stopped
  }

  async #everywhere(
    look: (at: GroupPartition) => Promise<readonly EventSeen[]>,
  ): Promise<readonly EventSeen[]> {
    const { partitions } = this.#processor.topic
    const all = await Promise.all(
      Array.from({ length: partitions }, (_, partition) => look(this.#at(partition))),
    )
    return all.flat()
  }

  #at(partition: number): GroupPartition {
    return { topic: this.#processor.topic, partition, group: this.#processor.name }
  }
}
