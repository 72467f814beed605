import { MillraceError } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { testTopic, unit } from '@millrace/log/contract'
import { createMemoryViewStore, type View } from '@millrace/view'
import { expect, onTestFinished, test } from 'vitest'
import type { ConsumerEvent } from './consumer-event.ts'
import { followView } from './follow-view.ts'
import { createMemoryGroupStore } from './memory-group-store.ts'

/** The sequence numbers of the events of each key, in the order in which they came. */
type Seen = Map<string, number[]>

/** A topic of one partition with a view of it in memory, which can be made unreachable. */
function setUp() {
  const topic = testTopic({ partitions: 1 })
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const view: View<Seen> = {
    name: 'seen',
    topic,
    fold: async (seen, { event, position }) => {
      if (event.data === 'poison') throw new MillraceError('event.invalid')
      seen.set(event.subject, [...(seen.get(event.subject) ?? []), position.seq])
    },
    lastSeqs: async (seen, keys) => new Map(keys.map((key) => [key, seen.get(key)?.at(-1) ?? 0])),
  }
  const memory = createMemoryViewStore<Seen, Seen>({
    partitions: 1,
    initial: () => new Map(),
    transaction: (seen) => seen,
  })
  let away = false
  let refused = 0
  const data: typeof memory = {
    ...{ prepare: () => memory.prepare(), checkpoints: () => memory.checkpoints() },
    ...{ take: (held) => memory.take(held), holds: (held) => memory.holds(held) },
    ...{ apply: (...given) => memory.apply(...given), build: (...given) => memory.build(...given) },
    ...{ read: (query) => memory.read(query), onMoved: (listener) => memory.onMoved(listener) },
    applyHeld: async (...given) => {
      if (!away) return memory.applyHeld(...given)
      refused++
      throw new MillraceError('service.unavailable')
    },
  }
  const heard: ConsumerEvent[] = []
  const start = async (leaseMs = 15_000) => {
    const running = await followView({
      ...{ log, store, view, data, leaseMs },
      observe: (event) => heard.push(event),
    })
    onTestFinished(() => running.stop())
    return running
  }
  return {
    ...{ start, heard, data },
    append: (...events: readonly (readonly [key: string, data?: string])[]) =>
      log.append(
        topic,
        events.map(([key, of]) => unit(topic, key, of === undefined ? {} : { data: of })),
      ),
    seen: () => data.read(async (seen) => Object.fromEntries(seen)),
    group: () => store.look({ topic, partition: 0, group: 'seen' }),
    parked: () => store.parked({ topic, partition: 0, group: 'seen' }),
    dead: () => store.deadLetters({ topic, partition: 0, group: 'seen' }),
    refused: () => refused,
    be: (gone: boolean) => {
      away = gone
    },
  }
}

test('after a stop the checkpoint of the view stands where its group does', async () => {
  const { start, append, seen, group, data } = setUp()
  await append(['a'], ['b'], ['a'])
  const running = await start()
  await expect.poll(seen).toEqual({ a: [1, 3], b: [2] })
  await running.stop()
  expect((await group()).position.seq).toBe(3)
  expect((await data.checkpoints()).get(0)).toMatchObject({ seq: 3 })
})

test('what cannot be folded is a dead letter of the group, and the events behind it are in the view', async () => {
  const { start, append, seen, dead, group } = setUp()
  await append(['a'], ['a', 'poison'], ['a'])
  await start()
  await expect.poll(async () => (await group()).position.seq).toBe(3)
  expect(await seen()).toEqual({ a: [1, 3] })
  expect(await dead()).toMatchObject([{ seq: 2, reason: 'event.invalid' }])
})

test('while the view cannot be reached nothing is parked and no attempt counts; then it goes on', async () => {
  const { start, append, seen, parked, heard, refused, be } = setUp()
  await start()
  be(true)
  await append(['a'], ['b'])
  await expect.poll(refused).toBeGreaterThan(1)
  expect((await parked()).items).toEqual([])
  be(false)
  await expect.poll(seen).toEqual({ a: [1], b: [2] })
  expect(heard.filter(({ kind }) => kind === 'retry' || kind === 'parked' || kind === 'dead')).toEqual([])
})

test('in other hands, the partition of the view is taken again, and each event is in it once', async () => {
  const { start, append, seen, heard, data } = setUp()
  await append(['a'])
  await start()
  await expect.poll(seen).toEqual({ a: [1] })
  await data.take({ partition: 0, token: 'another' })
  await append(['a'], ['b'])
  await expect.poll(seen).toEqual({ a: [1, 2], b: [3] })
  expect(heard).toContainEqual(expect.objectContaining({ kind: 'ended', reason: 'restart' }))
  expect(heard.filter(({ kind }) => kind === 'retry' || kind === 'parked' || kind === 'dead')).toEqual([])
})
