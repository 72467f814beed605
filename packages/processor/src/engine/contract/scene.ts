import { newEvent, type Schema, type Topic, topic } from '@millrace/event'
import { beginning, type EventLog, type Position, type Recorded } from '@millrace/log'
import type { ConsumerEvent } from '../../consumer-event.ts'
import type { GenerationStore } from '../../replay/generations.ts'
import type { Processor } from '../../model/processor.ts'
import type { ParkedKey } from '../../parked-key.ts'
import { run, type Running, type RunOptions } from '../run.ts'
import { StoreFaults } from './store-faults.ts'

/** Log and store to put the engine through its paces on. */
export interface EngineUnderTest {
  readonly log: EventLog
  readonly store: GenerationStore
  /** Whether commits append emitted events to their topics themselves. */
  readonly atOnce?: boolean
  /** The clock of the log, and of leases. */
  now(): number
  /** Turns it. */
  advance(ms: number): void
  close(): Promise<void>
}

export const leaseMs = 1_000

// By hand, so that the suite needs no validator.
function schema<T>(valid: (value: unknown) => value is T, what: string): Schema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'millrace-contract',
      validate: (value) => (valid(value) ? { value } : { issues: [{ message: `is no ${what}` }] }),
    },
  }
}

interface Numbered {
  readonly n: number
}

const numbered = schema(
  (value): value is Numbered => typeof value === 'object' && value !== null && 'n' in value,
  'numbered thing',
)

/** The topic that members of the scene handle. */
function sourceTopic(partitions: number) {
  return topic(`s${word()}`, { types: { Counted: numbered, Other: numbered }, partitions })
}

/** The topic that they emit to. */
function targetTopic() {
  return topic(`t${word()}`, { types: { Derived: numbered }, partitions: 2 })
}

export type Source = ReturnType<typeof sourceTopic>

function word(): string {
  return Math.random().toString(36).slice(2, 12)
}

/** A member under test, with its own way to the store and all that it told. */
export interface Player {
  readonly running: Running
  readonly faults: StoreFaults
  readonly news: ConsumerEvent[]
}

/** Two topics, a log and a store, and the members that work there. Stops them all at its end. */
export class Scene {
  readonly subject: EngineUnderTest
  readonly source: Source
  readonly target = targetTopic()
  readonly #players: Player[] = []
  readonly #watchers = new Set<() => void>()

  constructor(subject: EngineUnderTest, partitions = 1) {
    this.subject = subject
    this.source = sourceTopic(partitions)
  }

  /** Appends one event for each key, numbered from 1. */
  async append(...keys: readonly string[]): Promise<readonly Position[]> {
    return this.appendOf('Counted', ...keys)
  }

  /** Appends one event for each key, numbered from `first` on. */
  async appendNumbered(keys: readonly string[], first: number): Promise<void> {
    const units = keys.map((key, at) => ({
      events: [newEvent(this.source, { type: 'Counted', key, data: { n: first + at } })],
    }))
    await this.subject.log.append(this.source, units)
  }

  async appendOf(type: string, ...keys: readonly string[]): Promise<readonly Position[]> {
    const units = keys.map((key, at) => ({
      events: [newEvent(this.source, { type, key, data: { n: at + 1 } })],
    }))
    const results = await this.subject.log.append(this.source, units)
    return results.flatMap((result) => (result.status === 'appended' ? result.positions : []))
  }

  /** Appends an event of a type that the topic does not have, as another version of the program may. */
  async appendStrange(key: string): Promise<void> {
    const event = newEvent(this.source, { type: 'Counted', key, data: { n: 1 } })
    await this.subject.log.append(this.source, [{ events: [{ ...event, type: 'Strange' }] }])
  }

  async start<S>(processor: Processor<Source, S>, options: Partial<RunOptions> = {}): Promise<Player> {
    const faults = new StoreFaults(this.subject.store, () => this.changed())
    const news: ConsumerEvent[] = []
    const running = await run(processor, {
      log: this.subject.log,
      store: faults.store,
      emitsTo: [this.target],
      leaseMs,
      retry: { firstMs: 2, maxMs: 10 },
      effectRetry: { firstMs: 2, maxMs: 10 },
      stopMs: 2_000,
      clock: { now: () => this.subject.now() },
      observe: (event) => {
        news.push(event)
        this.changed()
      },
      ...options,
    })
    const player = { running, faults, news }
    this.#players.push(player)
    return player
  }

  /** Resolves when the condition holds; it is looked at after everything that happens on the scene. */
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

  changed(): void {
    for (const look of this.#watchers) look()
  }

  at(group: string, partition = 0) {
    return { topic: this.source, partition, group }
  }

  /** Everything up to a sequence number is committed: by this member, or before it had its lease. */
  async reached(player: Player, seq: number, partition = 0): Promise<void> {
    await this.until(() =>
      player.news.some(
        (one) =>
          // Who finds everything settled has nothing to commit.
          (one.kind === 'progress' || one.kind === 'leased') &&
          one.partition === partition &&
          one.position.seq >= seq,
      ),
    )
  }

  /** No key of the group waits for its next attempt. */
  async unparked(group: string): Promise<void> {
    await this.#stored(group, (records) => records.length === 0)
  }

  /** A key waits for an operator. */
  async held(group: string, key: string): Promise<void> {
    await this.#stored(group, (records) =>
      records.some((one) => one.key === key && one.note.why === 'operator'),
    )
  }

  /** A key waits for an operator, with this event as its head. */
  async heldAt(group: string, key: string, head: number): Promise<void> {
    await this.#stored(group, (records) =>
      records.some((one) => one.key === key && one.head === head && one.note.why === 'operator'),
    )
  }

  /** No key waits for its next attempt: those that wait need an operator. */
  async onlyHeld(group: string): Promise<void> {
    await this.#stored(group, (records) => records.every(({ note }) => note.why === 'operator'))
  }

  /** Sequence numbers of a group's dead letters in its first partition. */
  async deadSeqs(group: string): Promise<readonly number[]> {
    const letters = await this.subject.store.deadLetters(this.at(group), { limit: 1_000 })
    return letters.map(({ seq }) => seq)
  }

  /** Looks at the park records after everything that happens, until they are as they should be. */
  async #stored(group: string, fits: (records: readonly ParkedKey[]) => boolean): Promise<void> {
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#watchers.add(resolve)
      const pages = await Promise.all(
        Array.from({ length: this.source.partitions }, (_, partition) =>
          this.subject.store.parked(this.at(group, partition), { limit: 1_000 }),
        ),
      )
      const found = fits(pages.flatMap(({ items }) => items))
      if (!found) await promise
      this.#watchers.delete(resolve)
      if (found) return
    }
  }

  /** The whole of a topic, partition by partition. */
  async history(of: Topic): Promise<readonly Recorded[]> {
    const all: Recorded[] = []
    for (let partition = 0; partition < of.partitions; partition++)
      for (let cursor = beginning; ;) {
        const answer = await this.subject.log.read(of, new Map([[partition, cursor]]))
        const events = answer.get(partition) ?? []
        const last = events.at(-1)
        if (last === undefined) break
        all.push(...events)
        cursor = last.position.id
      }
    return all
  }

  /** What the store has of a key's state. */
  async stateOf(group: string, key: string, partition = 0): Promise<unknown> {
    const [stored] = await this.subject.store.loadStates(this.at(group, partition), [key])
    const text = stored?.state?.state
    return text === undefined || text === '' ? undefined : (JSON.parse(text) as unknown)
  }

  /** What does not add up in the group's ledgers. */
  async differences(group: string): Promise<readonly string[]> {
    const all: string[] = []
    for (let partition = 0; partition < this.source.partitions; partition++)
      all.push(...(await this.subject.store.audit(this.at(group, partition))).differences)
    return all
  }

  async end(): Promise<void> {
    for (const { faults } of this.#players) faults.end()
    await Promise.all(this.#players.map(({ running }) => running.stop()))
  }
}

/** Plays a test on a scene of its own, and ends it whatever happens. */
export function sceneOf(subject: () => EngineUnderTest) {
  return async (play: (scene: Scene) => Promise<void>, partitions = 1): Promise<void> => {
    const scene = new Scene(subject(), partitions)
    try {
      await play(scene)
    } finally {
      await scene.end()
    }
  }
}
