import { setTimeout as pause } from 'node:timers/promises'
import { derivedId, topic, type Topic } from '@millrace/event'
import { beginning, createMemoryLog, type EventLog, type Recorded } from '@millrace/log'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import type { Mapping } from './mapping.ts'
import { createMemoryPipelineStore } from './memory-pipeline-store.ts'
import { createMemorySource, MemoryDatabase, MemorySlot } from './memory-source.ts'
import { createPipeline, type Pipeline } from './pipeline.ts'
import type { PipelineStore } from './pipeline-store.ts'
import { parseMark } from './resume-mark.ts'

const items = topic('items', {
  types: {
    ItemChanged: z.record(z.string(), z.unknown()),
    ItemGone: z.object({}),
    ItemSnapshot: z.record(z.string(), z.unknown()),
  },
  partitions: 4,
})
const table = 'public.items'

const mapping = (extra: Partial<Mapping> = {}): Mapping => ({
  table,
  topic: items,
  snapshot: true,
  map: (change) => {
    if (change.kind === 'snapshot')
      return [{ type: 'ItemSnapshot', key: String(change.row['id']), data: change.row }]
    if (change.kind === 'truncate') return []
    const row = change.row ?? change.before ?? {}
    const type = change.kind === 'delete' ? 'ItemGone' : 'ItemChanged'
    return [{ type, key: String(row['id']), data: change.kind === 'delete' ? {} : row }]
  },
  ...extra,
})

const open: Pipeline[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()))
})

class Scene {
  readonly database = new MemoryDatabase()
  readonly slot = new MemorySlot()
  readonly log = createMemoryLog()
  store: PipelineStore = createMemoryPipelineStore()

  reader(extra: { mappings?: readonly Mapping[]; log?: EventLog; store?: PipelineStore } = {}): Pipeline {
    const one = createPipeline({
      pipeline: 'shop',
      source: createMemorySource(this.database, this.slot),
      log: this.log,
      store: this.store,
      mappings: [mapping()],
      leaseMs: 400,
      standbyMs: 20,
      settleMs: 10,
      acknowledgeDelayMs: 0,
      chunkRows: 3,
      retryMs: 20,
      ...extra,
    })
    open.push(one)
    one.start()
    return one
  }

  write(id: number, v: number, kind: 'insert' | 'update' | 'delete' = 'update'): void {
    this.database.commit([{ kind, table, row: { id: String(id), v } }])
  }

  async events(of: Topic = items): Promise<readonly Recorded[]> {
    const read = await this.log.read(
      of,
      new Map(Array.from({ length: of.partitions }, (_, at) => [at, beginning])),
      { limit: 10_000 },
    )
    return [...read.values()].flat()
  }

  /** Resolves when the log holds so many events, and stays so for a moment. */
  async reached(count: number): Promise<readonly Recorded[]> {
    await until(async () => (await this.events()).length >= count)
    await pause(60)
    return this.events()
  }
}

async function until(such: () => Promise<boolean> | boolean): Promise<void> {
  for (let left = 500; left > 0; left--) {
    if (await such()) return
    await pause(10)
  }
  throw new Error('It did not come to that')
}

test('what exists enters as snapshots, what follows in commit order, each once', async () => {
  const scene = new Scene()
  for (let id = 0; id < 10; id++) scene.write(id, 0, 'insert')
  scene.reader()
  await scene.reached(10)
  for (let turn = 1; turn <= 20; turn++) scene.write(turn % 10, turn)
  const all = await scene.reached(30)
  expect(all.filter(({ event }) => event.type === 'ItemSnapshot')).toHaveLength(10)
  for (let id = 0; id < 10; id++) {
    const mine = all
      .filter(({ event }) => event.subject === String(id))
      .map(({ event }) => (event.data as { v: number }).v)
    expect(mine).toEqual([0, ...(id === 0 ? [10, 20] : [id, id + 10])])
  }
})

test('ids derive from pipeline, position and index, and a transaction says what led to it', async () => {
  const scene = new Scene()
  scene.reader()
  await until(() => scene.slot.acknowledged !== undefined)
  const position = scene.database.commit(
    [1, 2].map((id) => ({ kind: 'insert' as const, table, row: { id: String(id), v: 1 } })),
    { correlationId: 'click-7' },
  )
  const all = await scene.reached(2)
  expect(all.map(({ event }) => event.id).toSorted()).toEqual(
    [0, 1].map((index) => derivedId('shop', position, String(index))).toSorted(),
  )
  for (const { event } of all)
    expect(event).toMatchObject({ correlationid: 'click-7', source: '/millrace/cdc/shop' })
})

test('of three readers one reads; when it ends another goes on within the lease', async () => {
  const scene = new Scene()
  const readers = [scene.reader(), scene.reader(), scene.reader()]
  const reading = () => readers.filter((one) => one.status().state === 'streaming')
  await until(() => reading().length === 1)
  scene.write(1, 1, 'insert')
  await scene.reached(1)
  expect(readers.filter((one) => one.status().state === 'standby')).toHaveLength(2)
  const first = reading()[0] as Pipeline
  await first.stop()
  await until(() => reading().length === 1 && reading()[0] !== first)
  scene.write(1, 2)
  expect(await scene.reached(2)).toHaveLength(2)
})

test('two readers that both believe they hold the lease put each change on the log once', async () => {
  const scene = new Scene()
  // Each asks a store of its own, as if one had slept through its lease; they share slot and log, and fence each other off.
  const first = scene.reader({ store: createMemoryPipelineStore() })
  await until(() => first.status().state === 'streaming')
  scene.reader({ store: createMemoryPipelineStore() })
  for (let turn = 1; turn <= 300; turn++) {
    scene.write(turn % 7, turn)
    if (turn % 50 === 0) await pause(20)
  }
  const all = await scene.reached(300)
  expect(all).toHaveLength(300)
  for (let id = 0; id < 7; id++) {
    const mine = all
      .filter(({ event }) => event.subject === String(id))
      .map(({ event }) => (event.data as { v: number }).v)
    expect(mine).toEqual(mine.toSorted((a, b) => a - b))
  }
})

test('without any fence the numbers of the channel alone keep two readers of one stream apart', async () => {
  const scene = new Scene()
  // No fence: every token is taken. Each has a slot of its own, so that neither cuts the other off.
  const unfenced: EventLog = new Proxy(scene.log, {
    get: (target, name) => {
      if (name === 'fence') return async () => ({ status: 'set' })
      if (name === 'appendChannel')
        return async (of: Topic, { fence: _, ...batch }: Parameters<EventLog['appendChannel']>[1]) =>
          target.appendChannel(of, batch)
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  const own = (): Pipeline => {
    const slot = new MemorySlot()
    slot.acknowledged = scene.database.end
    const one = createPipeline({
      pipeline: 'shop',
      source: createMemorySource(scene.database, slot),
      log: unfenced,
      store: createMemoryPipelineStore(),
      mappings: [mapping({ snapshot: false })],
      settleMs: 5,
      acknowledgeDelayMs: 60_000,
    })
    open.push(one)
    return one
  }
  const [first, second] = [own(), own()]
  first.start()
  second.start()
  for (let turn = 1; turn <= 400; turn++) {
    scene.write(turn % 9, turn)
    if (turn % 40 === 0) await pause(5)
  }
  const all = await scene.reached(400)
  expect(all).toHaveLength(400)
  for (let id = 0; id < 9; id++) {
    const mine = all
      .filter(({ event }) => event.subject === String(id))
      .map(({ event }) => (event.data as { v: number }).v)
    expect(mine).toEqual(mine.toSorted((a, b) => a - b))
  }
})

test('a change that does not fit its mapping stops the pipeline before it, loses nothing, and goes on when resumed', async () => {
  const scene = new Scene()
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
  expect(reader.status().error?.code).toBe('change-stream.mapping')
  expect(await scene.reached(2)).toHaveLength(2)
  broken = false
  await scene.store.resume('shop')
  const all = await scene.reached(5)
  expect(all.map(({ event }) => (event.data as { v: number }).v)).toEqual([1, 2, 3, 4, 5])
})

test('a pause is kept by whoever reads next, and what was committed meanwhile comes afterwards', async () => {
  const scene = new Scene()
  const reader = scene.reader()
  await until(() => reader.status().state === 'streaming')
  await scene.store.pause('shop')
  await until(() => reader.status().state === 'paused')
  scene.write(1, 1, 'insert')
  await pause(100)
  expect(await scene.events()).toHaveLength(0)
  await scene.store.resume('shop')
  expect(await scene.reached(1)).toHaveLength(1)
})

test('the source may forget only what the log has, also where nothing of a transaction is mapped', async () => {
  const scene = new Scene()
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
  const scene = new Scene()
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
  const scene = new Scene()
  const first = scene.reader()
  await until(() => first.status().state === 'streaming')
  scene.write(1, 1, 'insert')
  await scene.reached(1)
  await first.stop()
  scene.slot.acknowledged = 'ffff'
  const second = scene.reader()
  await until(() => second.status().state === 'stopped')
  expect(second.status().error?.code).toBe('change-stream.behind')
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
