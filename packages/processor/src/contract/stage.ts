import type { Event, Topic } from '@millrace/event'
import type { Position } from '@millrace/log'
import { testTopic, unit } from '@millrace/log/contract'
import type { ConsumerEvent } from '../consumer-event.ts'
import { run, type Running, type RunOptions } from '../engine/run.ts'
import type { HandlerContext } from '../model/handler.ts'
import { processor } from '../model/processor.ts'
import { FaultyGroupStore } from './faulty-group-store.ts'
import type { GroupStoreUnderTest } from './group-store-contract.ts'

export const leaseMs = 1_000

type Context = Pick<HandlerContext<unknown>, 'attempt' | 'signal'>

/** What a handler of the stage does before it notes what it has completed. */
export type StageHandler = (
  delivered: { readonly event: Event; readonly position: Position },
  context: Context,
) => Promise<void> | void

/** How a member of the stage runs. */
export type StageOptions = Partial<RunOptions> & { readonly types?: readonly string[] }

/** A member under test, with its own way to the store and all that it told. */
export interface Actor {
  readonly running: Running
  readonly store: FaultyGroupStore
  readonly news: ConsumerEvent[]
  /** Sequence numbers that its handler has completed. */
  readonly done: number[]
}

/** One topic of one partition (or more), its log and the members that work on it. Stops them all at its end. */
export class Stage {
  readonly topic: Topic
  readonly subject: GroupStoreUnderTest
  /** What handlers have completed, of whichever member, in order. */
  readonly done: { readonly key: string; readonly seq: number }[] = []
  readonly #actors: Actor[] = []
  readonly #watchers = new Set<() => void>()

  constructor(subject: GroupStoreUnderTest, partitions = 1) {
    this.subject = subject
    this.topic = testTopic({ partitions })
  }

  /** Appends one event for each key. */
  async append(...keys: readonly string[]): Promise<readonly Position[]> {
    const units = keys.map((key, at) => unit(this.topic, key, { data: at }))
    const results = await this.subject.log.append(this.topic, units)
    return results.flatMap((result) => (result.status === 'appended' ? result.positions : []))
  }

  /** Starts a member whose handler notes what it has completed. */
  async start(handle: StageHandler = () => undefined, options: StageOptions = {}): Promise<Actor> {
    const store = new FaultyGroupStore(this.subject.store, () => this.changed())
    const news: ConsumerEvent[] = []
    const done: number[] = []
    const { types, ...bounds } = options
    const readers = processor('readers', this.topic, {
      ...(types === undefined ? {} : { types }),
      onExhausted: 'skip-event',
      handle: async (event, context) => {
        const { position } = context
        await handle({ event, position }, context)
        done.push(position.seq)
        this.done.push({ key: event.subject, seq: position.seq })
        this.changed()
      },
    })
    const running = await run(readers, {
      log: this.subject.log,
      store,
      leaseMs,
      commitEvery: 5,
      commitMs: 20,
      retry: { firstMs: 5, maxMs: 20 },
      stopMs: 2_000,
      observe: (event) => {
        news.push(event)
        this.changed()
      },
      ...bounds,
    })
    const actor = { running, store, news, done }
    this.#actors.push(actor)
    return actor
  }

  /** Resolves when the condition holds; it is looked at after everything that happens on the stage. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve()
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return
        this.#watchers.delete(look)
        resolve()
      }
      this.#watchers.add(look)
    })
  }

  /** Something has happened. */
  changed(): void {
    for (const look of this.#watchers) look()
  }

  /** The group's record of a partition. */
  look(partition = 0) {
    return this.subject.store.look({ topic: this.topic, partition, group: 'readers' })
  }

  deadLetters(partition = 0) {
    return this.subject.store.deadLetters({ topic: this.topic, partition, group: 'readers' })
  }

  /** Keys whose events were not first completed in the order of the log. */
  disordered(): readonly string[] {
    const last = new Map<string, number>()
    const seen = new Set<number>()
    const wrong = new Set<string>()
    for (const { key, seq } of this.done) {
      if (seen.has(seq)) continue
      seen.add(seq)
      if (seq < (last.get(key) ?? 0)) wrong.add(key)
      last.set(key, seq)
    }
    return [...wrong]
  }

  /** Sequence numbers that some handler has completed. */
  completed(): ReadonlySet<number> {
    return new Set(this.done.map(({ seq }) => seq))
  }

  async end(): Promise<void> {
    for (const { store } of this.#actors) store.resume()
    await Promise.all(this.#actors.map(({ running }) => running.stop()))
  }
}

/** Something that a handler can wait at until the test opens it. */
export class Latch {
  readonly #opened = Promise.withResolvers<void>()
  waiting = 0

  open(): void {
    this.#opened.resolve()
  }

  async pass(changed?: () => void): Promise<void> {
    this.waiting += 1
    changed?.()
    await this.#opened.promise
  }
}

/** Whether everything up to a sequence number has been completed, and nothing beyond it. */
export function completed(stage: Stage, seq: number): () => boolean {
  return () => stage.completed().size >= seq && [...stage.completed()].every((one) => one <= seq)
}

/** Plays a test on a stage of its own, and ends it whatever happens. */
export function playOn(subject: () => GroupStoreUnderTest) {
  return async (play: (stage: Stage) => Promise<void>, partitions = 1): Promise<void> => {
    const stage = new Stage(subject(), partitions)
    try {
      await play(stage)
    } finally {
      await stage.end()
    }
  }
}
