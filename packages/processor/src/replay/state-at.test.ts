import { newEvent, topic } from '@millrace/event'
import { createMemoryLog, type MemoryLog, type Position } from '@millrace/log'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { randomOf, testSeed } from '../../../../test/support/random.ts'
import { run } from '../engine/run.ts'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { defineEffect } from '../model/effect.ts'
import { processor } from '../model/processor.ts'
import { state } from '../model/state.ts'
import { durableDebounce } from '../operators/durable-debounce.ts'
import { emit } from '../operators/emit.ts'
import { evolve } from '../operators/evolve.ts'
import { stateAt } from './state-at.ts'

const seed = testSeed()
const counted = topic('counted', { types: { Counted: z.object({ n: z.int() }) }, partitions: 2 })
const derived = topic('derived', { types: { Derived: z.object({ n: z.int() }) } })
const never = defineEffect('never', {
  schema: z.object({ n: z.int() }),
  run: () => {
    throw new Error('an effect was carried out')
  },
})
const sums = processor('sums', counted, {
  state: state<readonly number[]>({ initial: () => [] }),
  effects: [never],
  handle: (event, context) => {
    context.evolve([...context.state, event.data.n])
    context.emit(derived, { type: 'Derived', data: event.data })
    context.effect(never, event.data)
  },
})

/** A log with its own time, and what was appended. */
class Story {
  nowMs = 1_700_000_000_000
  readonly log: MemoryLog = createMemoryLog({ clock: { now: () => this.nowMs } })
  readonly all: { readonly key: string; readonly n: number; readonly atMs: number; readonly at: Position }[] =
    []

  async append(key: string, n: number): Promise<void> {
    const [result] = await this.log.append(counted, [
      { events: [newEvent(counted, { type: 'Counted', key, data: { n } })] },
    ])
    if (result?.status === 'appended')
      for (const at of result.positions) this.all.push({ key, n, atMs: this.nowMs, at })
  }
}

test(`at any position and any time: the fold of the prefix, and nothing goes out (seed ${seed})`, async () => {
  const random = randomOf(seed)
  const story = new Story()
  for (let n = 0; n < 1_300; n++) {
    story.nowMs += Math.floor(random() * 3)
    await story.append(random() < 0.9 ? 'hot' : `k${Math.floor(random() * 4)}`, n)
  }
  const { log } = story
  for (let turn = 0; turn < 40; turn++) {
    const one = story.all[Math.floor(random() * story.all.length)]
    if (!one) throw new Error('nothing was appended')
    const { key, at, atMs } = one
    const ofKey = story.all.filter((other) => other.key === key)
    const upTo = ofKey.filter((other) => other.at.seq <= at.seq).map(({ n }) => n)
    const byThen = ofKey.filter((other) => other.atMs <= atMs).map(({ n }) => n)
    expect((await stateAt(sums, { log, key, position: at })).state, `seed ${seed}`).toEqual(upTo)
    const then = await stateAt(sums, { log, key, time: new Date(atMs) })
    expect(then.state, `seed ${seed}`).toEqual(byThen)
    expect(then.position?.seq).toBeGreaterThanOrEqual(at.seq)
  }
  expect((await log.tips(derived)).every(({ seq }) => seq === 0)).toBe(true)
})

test('before the first event it is the initial state; a position of another partition is refused', async () => {
  const story = new Story()
  await story.append('a', 1)
  const { log } = story
  const early = await stateAt(sums, { log, key: 'a', time: '2020-01-01T00:00:00Z' })
  expect(early).toEqual({
    state: [],
    position: undefined,
    from: 'beginning',
    asOf: undefined,
    events: [],
    leftOut: [],
  })
  const elsewhere = { topic: 'counted', partition: 1 - (story.all[0]?.at.partition ?? 0), id: '1-1', seq: 1 }
  await expect(stateAt(sums, { log, key: 'a', position: elsewhere })).rejects.toThrow(/lies in counted/)
  await expect(stateAt(sums, { log, key: 'a', time: 'yesterday' })).rejects.toThrow(/is no time/)
})

test("the group's record serves for what is not earlier, and what the group has given up is left out", async () => {
  const story = new Story()
  const { log } = story
  const clock = { now: () => story.nowMs }
  const store = createMemoryGroupStore({ log, clock })
  const picky = processor('picky', counted, {
    state: state<readonly number[]>({ initial: () => [] }),
    onExhausted: 'skip-event',
    handle: (event, context) => {
      if (event.data.n === 2) context.dead('two is never right')
      else context.evolve([...context.state, event.data.n])
    },
  })
  for (const n of [1, 2, 3]) await story.append('a', n)
  const running = await run(picky, { log, store, clock })
  const at = { topic: counted, partition: story.all[0]?.at.partition ?? 0, group: 'picky' }
  while ((await store.look(at)).position.seq < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  await running.stop()
  await story.append('a', 4)
  const now = await stateAt(picky, { log, store, key: 'a' })
  expect(now).toMatchObject({ state: [1, 3, 4], from: 'record', leftOut: [] })
  const before = await stateAt(picky, { log, store, key: 'a', position: story.all[1]?.at as Position })
  expect(before).toMatchObject({ state: [1], from: 'beginning', leftOut: [{ seq: 2, why: 'dead' }] })
})

test('a record that was taken over while the event that led to it still waits says nothing of earlier times', async () => {
  const story = new Story()
  const { log } = story
  const clock = { now: () => story.nowMs }
  const store = createMemoryGroupStore({ log, clock })
  await story.append('a', 1)
  story.nowMs += 1_000
  await story.append('a', 2)
  const [first, second] = story.all.map(({ at }) => at) as [Position, Position]
  const at = { topic: counted, partition: first.partition, group: 'sums' }
  // Later than the events say of themselves, so that it has both of them.
  const asOf = { ms: Date.now() + 3_600_000 }
  // As a commit leaves it that a parked line made: the head is not settled before it is known which event comes next.
  const record = { version: 1, state: '[7]' }
  const ops = JSON.stringify({ $asOf: { data: asOf } })
  const lease = await store.acquire(at, 'member', 10_000)
  await store.commit(at, {
    ...{ token: lease?.token ?? '', n: 1, position: second, ahead: [], dead: [] },
    states: [{ key: 'a', seq: first.seq, ops, ...record }],
    migrations: [{ key: 'a', seq: second.seq, id: second.id, atMs: story.nowMs, asOf, ...record }],
  })
  const asked = { log, store, key: 'a' }
  const beginning = { state: [1], from: 'beginning', asOf: undefined }
  expect(await stateAt(sums, { ...asked, position: first })).toMatchObject(beginning)
  expect(await stateAt(sums, { ...asked, time: new Date(story.nowMs - 1) })).toMatchObject(beginning)
  expect(await stateAt(sums, { ...asked, position: second })).toMatchObject({ state: [7], asOf })
  expect(await stateAt(sums, asked)).toMatchObject({ state: [7], from: 'record', asOf })
})

test('timers fire where the journal says', async () => {
  const story = new Story()
  const { log } = story
  const clock = { now: () => story.nowMs }
  const store = createMemoryGroupStore({ log, clock })
  const fired: number[] = []
  const calm = processor('calm', counted, {
    state: state<readonly number[]>({ initial: () => [] }),
    pipeline: (lane) =>
      lane.pipe(
        evolve((seen, event) => [...seen, event.data.n]),
        durableDebounce('calm', 50),
        emit(derived, () => {
          fired.push(1)
          return { type: 'Derived', data: { n: 1 } }
        }),
      ),
  })
  await story.append('a', 1)
  const running = await run(calm, { log, store, clock, emitsTo: [derived] })
  const at = { topic: counted, partition: story.all[0]?.at.partition ?? 0, group: 'calm' }
  while ((await store.look(at)).position.seq < 1) await new Promise((resolve) => setTimeout(resolve, 5))
  story.nowMs += 60
  while ((await store.firings(at)).items.length < 1) await new Promise((resolve) => setTimeout(resolve, 5))
  await running.stop()
  await story.append('a', 2)
  expect(fired).toHaveLength(1)
  await stateAt(calm, { log, store, key: 'a', position: story.all[0]?.at as Position })
  await stateAt(calm, { log, key: 'a', position: story.all[0]?.at as Position })
  expect(fired).toHaveLength(1)
  expect((await stateAt(calm, { log, store, key: 'a' })).state).toEqual([1, 2])
})
