import { MillraceError } from '@millrace/event'
import { createMemoryLog, type Position } from '@millrace/log'
import { testTopic, unit } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import type { EndReason } from '../consumer-event.ts'
import type { GroupPartition, Lease } from '../group-store.ts'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { EngineCommitter } from './engine-committer.ts'
import { EngineLease } from './engine-lease.ts'

const leaseMs = 1_000

/** A member that says what contradicts itself: how its work ends, when somebody else has taken the lease and when not. */
async function endOf(takenOver: boolean): Promise<readonly [reason: EndReason, told: readonly string[]]> {
  const store = createMemoryGroupStore({ log: createMemoryLog() })
  const at = { topic: testTopic({ partitions: 1 }), partition: 0, group: 'readers' }
  const held = await store.acquire(at, 'member', leaseMs)
  if (held === undefined) throw new TypeError('Nobody else has it')
  const lease = new EngineLease(store, at, held, { leaseMs, askedAtMs: 0, elapsedMs: () => 0 })
  // The same member may ask again at once, and has a new token then.
  if (takenOver) await store.acquire(at, 'member', leaseMs)
  const told: string[] = []
  const settings = {
    tell: ({ kind }: { readonly kind: string }) => void told.push(kind),
    timers: { set: () => () => undefined },
    random: () => 0,
    commitEvery: 1,
    commitMs: 1,
  }
  return new Promise((resolve) => {
    const committer = new EngineCommitter(settings, lease, {
      uncommitted: () => 1,
      harvest: () => ({
        content: { position: { id: '1-5', seq: 5 }, ahead: [3], dead: [] },
        plain: true,
        committed: () => undefined,
      }),
      failed: (reason) => {
        committer.end()
        resolve([reason, told])
      },
    })
    committer.noted()
  })
}

test('who contradicts himself because he was fenced long ago ends as one who was fenced', async () => {
  expect(await endOf(true)).toEqual(['lost', ['fenced']])
})

test('who contradicts himself with his lease in hand is at fault', async () => {
  expect(await endOf(false)).toEqual(['fault', []])
})

/** A partition on which one event after the other is settled, and whose store answers when it is told to. */
class Settling {
  /** Of each commit that was gathered, the last event. */
  readonly gathered: number[] = []
  /** Of each call of the store, the last event. */
  readonly sent: number[] = []
  readonly committed: number[] = []
  readonly committer: EngineCommitter
  readonly #answers: ((fault?: Error) => void)[] = []
  #settled = 0

  private constructor(
    store: ReturnType<typeof createMemoryGroupStore>,
    at: GroupPartition,
    held: { readonly lease: Lease; readonly positions: readonly Position[]; readonly plain: boolean },
  ) {
    const { lease, positions, plain } = held
    const commit = store.commit.bind(store)
    store.commit = async (where, what) => {
      this.sent.push(what.position.seq)
      const { promise, resolve } = Promise.withResolvers<Error | undefined>()
      this.#answers.push(resolve)
      const result = await commit(where, what)
      const fault = await promise
      if (fault !== undefined) throw fault
      return result
    }
    const settings = {
      tell: () => undefined,
      timers: { set: (_: number, act: () => void) => (queueMicrotask(act), () => undefined) },
      random: () => 0,
      commitEvery: 2,
      commitMs: 1,
    }
    this.committer = new EngineCommitter(
      settings,
      new EngineLease(store, at, lease, { leaseMs, askedAtMs: 0, elapsedMs: () => 0 }),
      {
        uncommitted: () => this.#settled - (this.gathered.at(-1) ?? 0),
        harvest: () => {
          const seq = this.#settled
          if (seq === (this.gathered.at(-1) ?? 0)) return undefined
          this.gathered.push(seq)
          const { id } = positions[seq - 1] as Position
          const content = { position: { id, seq }, ahead: [], dead: [] }
          return { content, plain, committed: () => void this.committed.push(seq) }
        },
        failed: () => this.committer.end(),
      },
    )
  }

  static async begin(plain: boolean): Promise<Settling> {
    const log = createMemoryLog()
    const topic = testTopic({ partitions: 1 })
    const units = Array.from({ length: 9 }, () => unit(topic, 'a'))
    const results = await log.append(topic, units)
    const positions = results.flatMap((one) => (one.status === 'appended' ? one.positions : []))
    const store = createMemoryGroupStore({ log })
    const at = { topic, partition: 0, group: 'readers' }
    const lease = await store.acquire(at, 'member', leaseMs)
    if (lease === undefined) throw new TypeError('Nobody else has it')
    return new Settling(store, at, { lease, positions, plain })
  }

  /** So many more events are settled. */
  async settle(count: number): Promise<void> {
    this.#settled += count
    this.committer.noted()
    await this.rest()
  }

  /** The store answers the commit that is under way; with an error its result is unknown. */
  async answer(fault?: Error): Promise<void> {
    this.#answers.shift()?.(fault)
    await this.rest()
  }

  async rest(): Promise<void> {
    for (let n = 0; n < 50; n++) await Promise.resolve()
  }
}

test('a full commit is gathered while one is under way, and sent when that has come back', async () => {
  const bench = await Settling.begin(true)
  await bench.settle(2)
  await bench.settle(1)
  expect(bench).toMatchObject({ gathered: [2], sent: [2], committed: [] })
  await bench.settle(1)
  expect(bench).toMatchObject({ gathered: [2, 4], sent: [2], committed: [] })
  // One waits at most.
  await bench.settle(3)
  expect(bench).toMatchObject({ gathered: [2, 4], sent: [2], committed: [] })
  await bench.answer()
  expect(bench).toMatchObject({ sent: [2, 4], committed: [2] })
  await bench.answer()
  expect(bench).toMatchObject({ gathered: [2, 4, 7], sent: [2, 4, 7], committed: [2, 4] })
  await bench.answer()
  expect(bench).toMatchObject({ gathered: [2, 4, 7], sent: [2, 4, 7], committed: [2, 4, 7] })
})

test('one whose result is unknown is sent again before the one that waits behind it', async () => {
  const bench = await Settling.begin(true)
  await bench.settle(2)
  await bench.settle(2)
  await bench.answer(new MillraceError('commit.unknown', 'No answer'))
  expect(bench).toMatchObject({ gathered: [2, 4], sent: [2, 2], committed: [] })
  await bench.answer()
  expect(bench).toMatchObject({ sent: [2, 2, 4], committed: [2] })
})

test('a flush ends when what waits is in the store as well', async () => {
  const bench = await Settling.begin(true)
  await bench.settle(2)
  await bench.settle(2)
  let over = false
  const flushed = bench.committer.flush().then(() => (over = true))
  await bench.answer()
  expect(over).toBe(false)
  await bench.answer()
  await flushed
  expect(bench.committed).toEqual([2, 4])
})

test('nothing is gathered behind one that the next depends on', async () => {
  const bench = await Settling.begin(false)
  await bench.settle(2)
  await bench.settle(3)
  expect(bench).toMatchObject({ gathered: [2], sent: [2] })
  await bench.answer()
  expect(bench).toMatchObject({ gathered: [2, 5], sent: [2, 5], committed: [2] })
})
