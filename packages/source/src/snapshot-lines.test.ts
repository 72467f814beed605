import { topic } from '@millrace/event'
import { beginning, createMemoryLog, type EventLog, type MemoryLog } from '@millrace/log'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { testSeed } from '../../../test/support/random.ts'
import type { ChannelLog } from './channel-line.ts'
import { ChangeEvents } from './change-events.ts'
import type { Mapping } from './mapping.ts'
import { createMemorySource, MemoryDatabase } from './memory-source.ts'
import { SnapshotLines } from './snapshot-lines.ts'

const seed = testSeed()
const table = 'public.goods'
const goods = topic('goods', {
  types: { GoodsSnapshot: z.object({ id: z.string(), text: z.string(), part: z.number() }) },
  partitions: 2,
})
const fence = { name: 'shop', token: '1-a' }

/** A row becomes three events of its key. */
const mapping: Mapping = {
  table,
  topic: goods,
  snapshot: true,
  map: ({ row }) =>
    [1, 2, 3].map((part) => ({ type: 'GoodsSnapshot', key: String(row?.['id']), data: { ...row, part } })),
}

/** Reads the table to its end, as far as the log lets it; answers in how many chunks. */
async function snapshot(log: ChannelLog, database: MemoryDatabase, chunkRows: number): Promise<number> {
  const { initial } = await createMemorySource(database).prepare()
  if (!initial) throw new Error('There is no table to read')
  for (let partition = 0; partition < goods.partitions; partition++) await log.fence(goods, partition, fence)
  const { signal } = new AbortController()
  const lines = await SnapshotLines.open({
    ...{ log, pipeline: 'shop', mapping, run: 1, fence, signal, estimate: 0 },
  })
  const events = new ChangeEvents('shop')
  let chunks = 0
  for (; !lines.done; chunks++) {
    const request = lines.next(chunkRows)
    const chunk = await initial.chunk(request)
    expect(chunk.rows.length).toBeLessThanOrEqual(chunkRows)
    await lines.write(chunk, events)
  }
  return chunks
}

/** A log whose caller dies at an append: before it, or behind it without an answer. */
function deadlyLog(log: MemoryLog, appends: number, isIn: boolean): ChannelLog {
  let left = appends
  return {
    channel: (...of) => log.channel(...of),
    fence: (...of) => log.fence(...of),
    appendChannel: async (...of) => {
      if (left-- > 0) return log.appendChannel(...of)
      if (isIn && left === -1) await log.appendChannel(...of)
      throw new Error('killed')
    },
  }
}

async function idsOn(log: Pick<EventLog, 'read'>): Promise<readonly (readonly [string, string])[]> {
  const from = new Map(Array.from({ length: goods.partitions }, (_, at) => [at, beginning]))
  const pages = await log.read(goods, from, { limit: 100_000 })
  return [...pages.values()].flat().map(({ event }) => [event.id, event.subject] as const)
}

function fill(database: MemoryDatabase, ids: readonly string[], text = ''): void {
  database.commit(ids.map((id) => ({ kind: 'insert' as const, table, row: { id, text } })))
}

const rowIds = (count: number, suffix = '') =>
  Array.from({ length: count }, (_, at) => `${String(at).padStart(5, '0')}${suffix}`)

test(`wherever readers are killed, and whatever the table gains and loses meanwhile, nothing of a snapshot is appended twice (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ appends: fc.nat({ max: 6 }), isIn: fc.boolean(), gained: fc.nat({ max: 900 }) }), {
        maxLength: 6,
      }),
      fc.constantFrom(150, 700, 5_000),
      async (deaths, chunkRows) => {
        const log = createMemoryLog()
        const database = new MemoryDatabase()
        fill(database, rowIds(1_000))
        for (const [at, { appends, isIn, gained }] of deaths.entries()) {
          await snapshot(deadlyLog(log, appends, isIn), database, chunkRows).catch((error: unknown) => {
            if (!(error instanceof Error && error.message === 'killed')) throw error
          })
          if (gained > 0) fill(database, rowIds(gained, `-${at}`))
          const row = { id: rowIds(1_000)[at * 40 + 1] as string }
          database.commit([{ kind: 'delete', table, row }])
        }
        await snapshot(log, database, chunkRows)
        const told = await idsOn(log)
        expect(new Set(told.map(([id]) => id)).size).toBe(told.length)
        const times = new Map<string, number>()
        for (const [, key] of told) times.set(key, (times.get(key) ?? 0) + 1)
        const stayed = rowIds(1_000).filter((id) => database.tables.get(table)?.has(id))
        expect(stayed.filter((id) => times.get(id) !== 3)).toEqual([])
      },
    ),
    { seed, numRuns: 20 },
  )
})

test('rows that are larger together than an append takes are appended in steps', async () => {
  const log = createMemoryLog()
  const database = new MemoryDatabase()
  fill(database, rowIds(60), 'x'.repeat(100_000))
  expect(await snapshot(log, database, 500)).toBe(1)
  expect(await idsOn(log)).toHaveLength(180)
})
