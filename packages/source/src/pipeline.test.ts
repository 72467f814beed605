import { derivedId, type Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMemoryPipelineStore } from './memory-pipeline-store.ts'
import { createMemorySource, MemorySlot } from './memory-source.ts'
import { createPipeline, type Pipeline } from './pipeline.ts'
import { mapping, pass, Scene, table, until } from './testing/pipeline-scene.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.close())

test('what exists enters as snapshots, what follows in commit order, each once', async () => {
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
  // Each asks a store of its own, as if one had slept through its lease; they share slot and log, and fence each other off.
  const first = scene.reader({ store: createMemoryPipelineStore() })
  await until(() => first.status().state === 'streaming')
  scene.reader({ store: createMemoryPipelineStore() })
  for (let turn = 1; turn <= 300; turn++) {
    scene.write(turn % 7, turn)
    if (turn % 50 === 0) await pass(20)
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
    scene.running.push(one)
    return one
  }
  const [first, second] = [own(), own()]
  first.start()
  second.start()
  for (let turn = 1; turn <= 400; turn++) {
    scene.write(turn % 9, turn)
    if (turn % 40 === 0) await pass(5)
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
