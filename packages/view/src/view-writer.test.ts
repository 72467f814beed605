import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { expect, test } from 'vitest'
import { type CountRow, type CountRows, countRowsIn, type CountState } from './contract/counting-view.ts'
import { countsOf, Scene } from './contract/scene.ts'
import { createMemoryViewStore } from './memory-view-store.ts'
import { ViewWriter } from './view-writer.ts'

const open = new AbortController().signal

/** A view in memory that can be made unreachable, its writer, and timers that the test turns. */
function setUp() {
  const make = () =>
    createMemoryViewStore<CountState, CountRows>({
      partitions: 1,
      initial: () => ({ rows: new Map<string, CountRow>() }),
      transaction: countRowsIn,
    })
  const store = make()
  const stage = new Scene(
    { open: async () => store, destroy: async () => undefined, close: async () => undefined },
    1,
  )
  const timers = new Set<() => void>()
  const sizes: number[] = []
  let away = false
  const writer = new ViewWriter<CountRows>({
    log: stage.log,
    view: stage.view,
    store: {
      take: (held) => store.take(held),
      holds: (held) => store.holds(held),
      applyHeld: async (held, events, view, reached) => {
        if (away) throw new MillraceError('service.unavailable')
        await store.applyHeld(held, events, view, reached)
        if (events.length > 0) sizes.push(events.length)
      },
    },
    timers: {
      set: (_, act) => {
        timers.add(act)
        return () => timers.delete(act)
      },
    },
  })
  const at = (seq: number, ahead: readonly number[] = [], token = '1-ann') => ({
    ...{ partition: 0, token, ahead },
    position: { id: `${seq}`, seq },
  })
  return {
    stage,
    store,
    writer,
    sizes,
    take: (seq: number, ahead?: readonly number[], token?: string) =>
      writer.taken(at(seq, ahead, token), open),
    write: (events: readonly Recorded[]) => Promise.all(events.map((one) => writer.write(one, open))),
    be: (gone: boolean) => {
      away = gone
    },
    /** Lets all times pass that somebody waits for. */
    ring: () => {
      for (const act of [...timers]) {
        timers.delete(act)
        act()
      }
    },
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('what is handed over together goes into one transaction, and so does what comes meanwhile', async () => {
  const { stage, store, sizes, take, write } = setUp()
  await stage.append('a', 'b', 'c', 'd', 'e')
  const events = await stage.events()
  await take(0)
  const first = write(events.slice(0, 2))
  await Promise.resolve()
  await Promise.resolve()
  const second = write(events.slice(2))
  await Promise.all([first, second])
  expect(sizes).toEqual([2, 3])
  expect(await countsOf(store)).toEqual({ a: 1, b: 1, c: 1, d: 1, e: 1 })
})

test('of what cannot be folded together, only what is at fault fails', async () => {
  const { stage, store, take, writer } = setUp()
  await stage.append('a', ['b', 'poison'], 'c')
  await take(0)
  const results = await Promise.allSettled((await stage.events()).map((one) => writer.write(one, open)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await countsOf(store)).toEqual({ a: 1, c: 1 })
})

test('while the view is away it waits, its gate is closed, and nothing is lost', async () => {
  const { stage, store, take, write, writer, be, ring } = setUp()
  await stage.append('a', 'b')
  await take(0)
  be(true)
  const writing = write(await stage.events())
  await settled()
  expect(writer.open).toBe(false)
  const opened = writer.opened(open)
  ring()
  await settled()
  expect(writer.open).toBe(false)
  be(false)
  ring()
  await Promise.all([writing, opened])
  expect(writer.open).toBe(true)
  expect(await countsOf(store)).toEqual({ a: 1, b: 1 })
})

test('who gives an event up while the view is away need not wait; an end lets go of all', async () => {
  const { stage, take, writer, be } = setUp()
  await stage.append('a', 'b')
  const [first, second] = await stage.events()
  if (!first || !second) throw new Error('The log is too short')
  await take(0)
  be(true)
  const control = new AbortController()
  const given = writer.write(first, control.signal)
  const kept = writer.write(second, open)
  const both = Promise.allSettled([given, kept])
  await settled()
  control.abort()
  await expect(given).rejects.toMatchObject({ code: 'view.taken' })
  await writer.end()
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

test('a view behind its group is brought to the position and what is settled beyond it, and no further', async () => {
  const { stage, store, take } = setUp()
  await stage.append('a', ['b', 'poison'], 'c', 'd', 'a', 'e')
  await take(3, [5])
  expect(await countsOf(store)).toEqual({ a: 2, c: 1 })
  expect((await store.checkpoints()).get(0)?.seq).toBe(3)
})

test('the checkpoint follows the group, with the next transaction or by itself', async () => {
  const { stage, store, take, write, writer, ring } = setUp()
  await stage.append('a', 'b')
  const events = await stage.events()
  const seq = async () => (await store.checkpoints()).get(0)?.seq
  await take(0)
  await write(events.slice(0, 1))
  writer.reached(0, { id: 'first', seq: 1 })
  await write(events.slice(1))
  expect(await seq()).toBe(1)
  writer.reached(0, { id: 'second', seq: 2 })
  ring()
  await settled()
  await settled()
  expect(await seq()).toBe(2)
})
