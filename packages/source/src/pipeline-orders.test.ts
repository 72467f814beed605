import { MillraceError } from '@millrace/event'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PipelineStore } from './pipeline-store.ts'
import { parseMark } from './resume-mark.ts'
import { items, mapping, pass, Scene, table, until } from './testing/pipeline-scene.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.close())

test('a change that does not fit its mapping stops the pipeline before it, loses nothing, and goes on when resumed', async () => {
  let broken = true
  const picky = mapping({
    map: (change) => {
      if (broken && change.kind === 'update' && change.row?.['v'] === 3)
        throw new TypeError('There is no column price')
      return mapping().map(change)
    },
  })
  const reader = scene.reader({ mappings: [picky] })
  await until(() => scene.slot.acknowledged !== undefined)
  for (let v = 1; v <= 5; v++) scene.write(1, v)
  await until(() => reader.status().state === 'stopped')
  expect(reader.health()).toMatchObject({
    state: 'down',
    message: expect.stringContaining('There is no column price') as string,
  })
  expect(reader.status().error?.code).toBe('stream.mapping')
  expect(await scene.reached(2)).toHaveLength(2)
  broken = false
  await scene.store.resume('shop')
  const all = await scene.reached(5)
  expect(all.map(({ event }) => (event.data as { v: number }).v)).toEqual([1, 2, 3, 4, 5])
})

test('a pause is kept by whoever reads next, and what was committed meanwhile comes afterwards', async () => {
  const reader = scene.reader()
  await until(() => reader.status().state === 'streaming')
  await scene.store.pause('shop')
  await until(() => reader.status().state === 'paused')
  scene.write(1, 1, 'insert')
  await pass(100)
  expect(await scene.events()).toHaveLength(0)
  await scene.store.resume('shop')
  expect(await scene.reached(1)).toHaveLength(1)
})

test('the source may forget only what the log has, also where nothing of a transaction is mapped', async () => {
  const reader = scene.reader()
  await until(() => reader.status().state === 'streaming')
  for (let turn = 0; turn < 20; turn++)
    scene.database.commit([{ kind: 'insert', table: 'public.other', row: { id: String(turn) } }])
  await until(() => scene.slot.acknowledged === scene.database.end)
  for (let partition = 0; partition < 4; partition++) {
    const { mark = '' } = await scene.log.channel(items, partition, 'cdc/shop')
    expect(parseMark(mark).position >= (scene.slot.acknowledged ?? '')).toBe(true)
  }
})

test('a table is snapshotted again while the stream runs, and stream changes win', async () => {
  const reader = scene.reader({ mappings: [mapping({ snapshot: false })] })
  await until(() => reader.status().state === 'streaming')
  for (let id = 0; id < 8; id++) scene.write(id, 1, 'insert')
  await scene.reached(8)
  await scene.store.snapshot('shop', table)
  await until(() => reader.status().snapshots.some(({ done }) => done))
  scene.write(3, 2)
  const all = await scene.reached(17)
  expect(all.filter(({ event }) => event.type === 'ItemSnapshot')).toHaveLength(8)
  const last = all
    .filter(({ event }) => event.subject === '3')
    .map(({ event }) => (event.data as { v: number }).v)
  expect(last).toEqual([1, 1, 2])
  expect(reader.status().snapshots).toMatchObject([{ table, run: 2, rows: 8, done: true }])
})

test('a log that was set back behind what the source has forgotten stops the pipeline', async () => {
  const first = scene.reader()
  await until(() => first.status().state === 'streaming')
  scene.write(1, 1, 'insert')
  await scene.reached(1)
  await first.stop()
  scene.slot.acknowledged = 'ffff'
  const second = scene.reader()
  await until(() => second.status().state === 'stopped')
  expect(second.status().error?.code).toBe('stream.behind')
  // An operator may accept the gap: it begins anew where the source stands, with all rows.
  scene.slot.acknowledged = scene.database.end
  await scene.store.restart('shop')
  await until(() => second.status().state === 'streaming')
  scene.write(1, 2)
  const all = await scene.reached(3)
  expect(all.map(({ event }) => event.type).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    'ItemChanged',
    'ItemChanged',
    'ItemSnapshot',
  ])
})

test('a pause holds although the first question about it has no answer', async () => {
  let unanswered = 1
  const { store: kept } = scene
  const store: PipelineStore = {
    ...{ take: (asked) => kept.take(asked), release: (...given) => kept.release(...given) },
    ...{
      list: () => kept.list(),
      look: (name) => kept.look(name),
      snapshot: (...of) => kept.snapshot(...of),
    },
    ...{ pause: (name) => kept.pause(name), resume: (name) => kept.resume(name) },
    restart: (name) => kept.restart(name),
    renew: async (...asked) => {
      if (unanswered-- > 0) throw new MillraceError('log.unavailable')
      return kept.renew(...asked)
    },
  }
  await scene.store.pause('shop')
  const states: string[] = []
  const reader = scene.reader({ store, observe: ({ state }) => states.push(state) })
  await until(() => reader.status().state === 'paused')
  expect(unanswered).toBeLessThan(0)
  expect(states).toEqual(['waiting', 'paused'])
})
