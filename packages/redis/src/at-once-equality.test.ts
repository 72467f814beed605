import { newEvent, type Topic } from '@millrace/event'
import { beginning, createMemoryLog, type EventLog } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import { createMemoryGroupStore, draftOutbox, type GroupStore, type OutboxDraft } from '@millrace/processor'
import { LeasedGroup } from '@millrace/processor/contract'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { closeConnection, whenReady, writingConnection } from './connection.ts'
import { GroupsOnRedis } from './groups-on-redis.ts'
import { Keys } from './keys.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

const seed = testSeed()
const runs = Number(process.env['FC_RUNS'] ?? 100)
const spoilable = ['log', 'meta', 'channels', 'index'] as const

/** What becomes of emitted events; `near` says of each key whether its topic is known to take channels. */
type Step =
  | { readonly do: 'commit'; readonly keys: readonly string[]; readonly near: readonly boolean[] }
  | { readonly do: 'repeat' }
  /** What lies in the outbox is appended; it may stay there as if the forwarder had died between. */
  | { readonly do: 'forward'; readonly count: number; readonly remove: boolean }
  /** A structure of the target's first partition is foreign while a commit comes. */
  | { readonly do: 'spoil'; readonly what: (typeof spoilable)[number]; readonly keys: readonly string[] }
  | { readonly do: 'clock'; readonly ms: number }

const keysOf = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'Zoë "\\'), { minLength: 1, maxLength: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit'),
      keys: keysOf,
      near: fc.array(fc.constantFrom(true, true, true, false), { minLength: 5, maxLength: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('forward'),
      count: fc.nat({ max: 9 }),
      remove: fc.constantFrom(true, true, false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('spoil'), what: fc.constantFrom(...spoilable), keys: keysOf }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clock'), ms: fc.constantFrom(-5_000, -1, 1, 5_000) }),
  },
)

let server: TestRedis
let redis: Redis
let log: RedisLog
let now = 0
beforeAll(async () => {
  server = await startRedis()
  redis = writingConnection({ url: server.url })
  await whenReady(redis)
  log = await connectLog({ url: server.url, now: () => now })
})
afterAll(async () => {
  await log.close()
  await closeConnection(redis)
  await server.stop()
})

/** How many entries went which way, to show that the histories reach both. */
const ways = { atOnce: 0, outbox: 0 }

/** One group twice, each with the log that it emits to. */
class Emitters {
  readonly target: Topic = testTopic({ partitions: 2 })
  readonly memory: LeasedGroup
  readonly redis: LeasedGroup
  #number = 0
  #last: (() => Promise<unknown[]>) | undefined

  private constructor(memory: LeasedGroup, onRedis: LeasedGroup) {
    this.memory = memory
    this.redis = onRedis
  }

  static async open(): Promise<Emitters> {
    const clock = { now: () => now }
    const memoryLog = createMemoryLog({ clock })
    const open = (to: EventLog, store: GroupStore) =>
      LeasedGroup.open({ log: to, store, advance: () => undefined, close: async () => undefined }, 'a')
    return new Emitters(
      await open(memoryLog, createMemoryGroupStore({ log: memoryLog, atOnce: memoryLog, clock })),
      await open(log, new GroupsOnRedis(redis, { now: () => now, reach: 'server' })),
    )
  }

  async play(one: Step): Promise<void> {
    if (one.do === 'commit') return this.#commit(this.#drafts(one.keys, one.near))
    if (one.do === 'repeat') expect(await this.#last?.()).toEqual(this.#last && alike({ status: 'already' }))
    else if (one.do === 'forward') await this.#forward(one.count, one.remove)
    else if (one.do === 'spoil') await this.#spoil(one.what, one.keys)
    else now += one.ms
  }

  /** Both have brought about the same, whichever way it went. */
  async compare(): Promise<void> {
    const [found, expected] = await Promise.all([this.#seen(this.redis), this.#seen(this.memory)])
    expect(found).toEqual(expected)
  }

  #drafts(keys: readonly string[], near: readonly boolean[]): readonly OutboxDraft[] {
    const drafts = draftOutbox(
      keys.map((key) => {
        this.#number += 1
        const event = newEvent(this.target, { type: 'Happened', key, data: { number: this.#number } })
        return { topic: this.target, event, text: JSON.stringify(event) }
      }),
    )
    const parts = near.at(-1) ? drafts : drafts.flatMap(split)
    return parts.map((draft, at) => (near[at] ? { ...draft, target: this.target } : draft))
  }

  async #commit(outbox: readonly OutboxDraft[], inMemory = outbox): Promise<void> {
    const commits = [this.memory.next(0, { outbox: inMemory }), this.redis.next(0, { outbox })] as const
    this.#last = () =>
      Promise.all([
        this.memory.store.commit(this.memory.at, commits[0]),
        this.redis.store.commit(this.redis.at, commits[1]),
      ])
    const [expected, found] = await this.#last()
    expect(found).toEqual(expected)
    for (const number of (found as { numbers: readonly number[] }).numbers)
      ways[number === 0 ? 'atOnce' : 'outbox'] += 1
    this.memory.n += 1
    this.redis.n += 1
  }

  async #forward(count: number, remove: boolean): Promise<void> {
    for (const { store, at, topic, subject } of [this.memory, this.redis]) {
      const items = (await store.outbox(at)).items.slice(0, count)
      for (const { partition, first, events } of items) {
        const place = { partition, channel: `${topic.name}.0.readers`, incarnation: 1 }
        const mark = events.at(-1)?.id ?? ''
        const result = await subject.log.appendChannel(this.target, { ...place, first, events, mark })
        expect(result.status).toBe('appended')
      }
      if (remove)
        await store.forwarded(
          at,
          items.map(({ id }) => id),
        )
    }
  }

  /** Redis does without; in memory nothing is foreign, so there the commit is told not to try. */
  async #spoil(what: (typeof spoilable)[number], keys: readonly string[]): Promise<void> {
    const drafts = this.#drafts(
      keys,
      keys.map(() => true),
    ).filter(({ partition }) => partition === 0)
    const names = new Keys().partition(this.target, 0)
    const index = new Keys().keyIndex(this.target, 0, drafts[0]?.events[0]?.subject ?? '')
    const name = what === 'index' ? index : names[what]
    const kept = await redis.dumpBuffer(name)
    await redis.set(name, 'foreign')
    await this.#commit(
      drafts,
      drafts.map(({ target: _target, ...draft }) => draft),
    )
    await redis.del(name)
    if (kept) await redis.restore(name, 0, kept)
  }

  async #seen({ store, at, topic, subject }: LeasedGroup) {
    const { log: itsLog } = subject
    const keys = ['a', 'b', 'c', 'd', 'Zoë "\\']
    // At once: one way to the server and back.
    const [read, histories, channels, outbox, audit] = await Promise.all([
      itsLog.read(this.target, new Map([0, 1].map((one) => [one, beginning]))),
      Promise.all(keys.map((key) => itsLog.readKey(this.target, key))),
      Promise.all([0, 1].map((one) => itsLog.channel(this.target, one, `${topic.name}.0.readers`))),
      store.outbox(at),
      store.audit(at),
    ])
    return {
      arrived: [...read].map(([partition, all]) => [
        partition,
        all.map(({ event, position: { seq } }) => [seq, event]),
      ]),
      byKey: histories.map(({ events }) => events.map(({ event }) => event.id)),
      channels,
      outbox: outbox.items,
      audit,
    }
  }
}

/** Entries of one event each, several for one partition. */
function split(draft: OutboxDraft): readonly OutboxDraft[] {
  return draft.events.map((event) => ({ ...draft, events: [event], text: JSON.stringify([event]) }))
}

function alike<T>(answer: T): [T, T] {
  return [answer, answer]
}

test(`at once or by the outbox, memory and Redis bring about the same (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
      now = Date.parse('2026-01-01T00:00:00Z')
      const emitters = await Emitters.open()
      for (const one of steps) {
        await emitters.play(one)
        await emitters.compare()
      }
    }),
    { seed, numRuns: runs },
  )
  expect(ways.atOnce).toBeGreaterThan(runs)
  expect(ways.outbox).toBeGreaterThan(runs)
})
