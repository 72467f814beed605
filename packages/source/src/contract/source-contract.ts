import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ChangeSource, ChangeStream } from '../change-source.ts'
import type {
  Change,
  ChangeContext,
  ChunkRequest,
  SnapshotRow,
  StreamItem,
  TransactionPart,
} from '../change.ts'

/** A row of the suite's table: `id` is its primary key. */
interface ItemRow {
  readonly id: string
  readonly v: number
}

/** A database with an empty table `items`, and a stream of it that is read by whoever opens it last. */
export interface Databased {
  /** Name of the table as changes tell it. */
  readonly table: string
  /** Another reader of the same stream. */
  source(): ChangeSource
  /** Writes as one transaction; answers when it is committed. */
  commit(changes: readonly ItemChange[], context?: ChangeContext): Promise<void>
  /** Writes the same and rolls it back. */
  rollBack(changes: readonly ItemChange[]): Promise<void>
  close(): Promise<void>
}

/** What is done to a row. */
interface ItemChange extends ItemRow {
  readonly kind: 'insert' | 'update' | 'delete'
}

const change = (kind: ItemChange['kind'], id: number, v: number): ItemChange => ({
  kind,
  id: String(id).padStart(4, '0'),
  v,
})

/** What every change source promises, on a database of its kind. */
export function describeSourceContract(name: string, make: () => Promise<Databased>): void {
  describe(`${name} as a change source`, () => {
    let database: Databased
    let source: ChangeSource
    let reader: Reader
    const others: ChangeSource[] = []
    beforeEach(async () => {
      database = await make()
      source = database.source()
    })
    afterEach(async () => {
      await reader?.close()
      await Promise.all([source, ...others.splice(0)].map((one) => one.close()))
      await database.close()
    })
    const begin = async (): Promise<string> => {
      const { position, initial } = await source.prepare()
      await initial?.close()
      reader = new Reader(await source.open(position))
      return position
    }

    test('tells what was committed, in the order of the commits and of each transaction, and nothing else', async () => {
      await begin()
      await database.commit([change('insert', 1, 1), change('insert', 2, 1), change('update', 1, 2)])
      await database.rollBack([change('insert', 3, 1)])
      await database.commit([change('update', 2, 2), change('delete', 1, 2)])
      const told = await reader.changes(5)
      expect(told.map(({ change: one }) => [one.kind, one.table, one.index])).toEqual([
        ['insert', database.table, 0],
        ['insert', database.table, 1],
        ['update', database.table, 2],
        ['update', database.table, 0],
        ['delete', database.table, 1],
      ])
      expect(told.map(({ change: one }) => one.row)).toEqual([
        { id: '0001', v: 1 },
        { id: '0002', v: 1 },
        { id: '0001', v: 2 },
        { id: '0002', v: 2 },
        undefined,
      ])
      expect(told[4]?.change.before).toMatchObject({ id: '0001' })
    })

    test('positions grow with each transaction, and the end of one is not behind the next', async () => {
      const start = await begin()
      for (let id = 1; id <= 5; id++) await database.commit([change('insert', id, 1)])
      const told = await reader.changes(5)
      let before = start
      for (const { part } of told) {
        expect(part.position >= before).toBe(true)
        expect((part.end ?? '') > part.position).toBe(true)
        before = part.end ?? ''
      }
    })

    test('tells the same again, with the same places, to whoever opens it from there', async () => {
      const start = await begin()
      await database.commit([change('insert', 1, 1), change('insert', 2, 1)])
      await database.commit([change('update', 1, 2)])
      const placed = (all: readonly Told[]) =>
        all.map((one) => [one.part.position, one.change.index, one.change.row])
      const first = placed(await reader.changes(3))
      const other = database.source()
      others.push(other)
      await other.prepare()
      const again = new Reader(await other.open(start))
      expect(placed(await again.changes(3))).toEqual(first)
      const last = new Reader(await other.open(first[2]?.[0] as string))
      expect(placed(await last.changes(1))).toEqual(first.slice(2))
      await last.close()
    })

    test('who opens it cuts off who had it before', async () => {
      await begin()
      const other = database.source()
      others.push(other)
      const { position } = await other.prepare()
      const second = new Reader(await other.open(position))
      await database.commit([change('insert', 1, 1)])
      expect(await second.changes(1)).toHaveLength(1)
      await reader.ended()
      await second.close()
    })

    test('forgets what was acknowledged, and nothing else', async () => {
      await begin()
      await database.commit([change('insert', 1, 1)])
      await database.commit([change('insert', 2, 1)])
      const told = await reader.changes(2)
      const upTo = told[0]?.part.end ?? ''
      for (let lag = await source.lag(); lag?.acknowledged !== upTo; lag = await source.lag()) {
        reader.stream.acknowledge(upTo)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const other = database.source()
      others.push(other)
      const { position } = await other.prepare()
      expect(position).toBe(upTo)
      const rest = new Reader(await other.open(position))
      expect((await rest.changes(1))[0]?.change.row).toEqual({ id: '0002', v: 1 })
      await rest.close()
    })

    test('a transaction may say what led to it', async () => {
      await begin()
      await database.commit([change('insert', 1, 1)], { correlationId: 'click-7' })
      await database.commit([change('insert', 2, 1)])
      const told = await reader.changes(2)
      expect(told.map(({ part }) => part.context.correlationId)).toEqual(['click-7', undefined])
    })

    test('has the tables as they were when the stream was made, in chunks', async () => {
      for (let id = 1; id <= 7; id++) await database.commit([change('insert', id, 1)])
      const { position, initial } = await source.prepare()
      await database.commit([change('update', 2, 2), change('insert', 8, 1)])
      const rows: SnapshotRow[] = []
      for (let after: readonly string[] | undefined, end = false; !end;) {
        const chunk = await initial?.chunk({ table: database.table, limit: 3, ...(after ? { after } : {}) })
        rows.push(...(chunk?.rows ?? []))
        after = chunk?.to
        end = chunk?.end ?? true
      }
      await initial?.close()
      expect(rows.map(({ row }) => row['v'])).toEqual([1, 1, 1, 1, 1, 1, 1])
      expect(rows.map(({ key }) => key[0])).toEqual(['0001', '0002', '0003', '0004', '0005', '0006', '0007'])
      reader = new Reader(await source.open(position))
      expect((await reader.changes(2)).map(({ change: one }) => one.row)).toEqual([
        { id: '0002', v: 2 },
        { id: '0008', v: 1 },
      ])
    })

    test('reads rows while the stream runs: with the changes around them they come to the present table', async () => {
      for (let id = 1; id <= 9; id++) await database.commit([change('insert', id, 1)])
      await begin()
      const table = new Map<string, number>()
      let after: readonly string[] | undefined
      let end = false
      const writing = (async () => {
        for (let turn = 2; turn <= 60; turn++) {
          await database.commit([change('update', 1 + (turn % 4), turn)])
          if (turn === 20) await database.commit([change('delete', 5, 0)])
          if (turn === 30) await database.commit([change('insert', 5, turn)])
        }
      })()
      reader.stream.requestChunk({ table: database.table, limit: 2 })
      let seen = 0
      while (!end || seen < 61) {
        const item = await reader.next()
        if (item.kind === 'changes')
          for (const one of item.changes) {
            seen += 1
            const id = String((one.row ?? one.before)?.['id'])
            if (one.kind === 'delete') table.delete(id)
            else table.set(id, Number(one.row?.['v']))
          }
        if (item.kind !== 'chunk') continue
        for (const { key, row } of item.rows) {
          const known = table.get(key[0] as string)
          // Nothing older than what the stream has told before.
          expect(Number(row['v'])).toBeGreaterThanOrEqual(known ?? 0)
          table.set(key[0] as string, Number(row['v']))
        }
        ;({ to: after, end } = item)
        if (!end) reader.stream.requestChunk({ table: database.table, limit: 2, after })
      }
      await writing
      const expected = new Map(Array.from({ length: 9 }, (_, at) => [String(at + 1).padStart(4, '0'), 1]))
      for (let turn = 2; turn <= 60; turn++) expected.set(String(1 + (turn % 4)).padStart(4, '0'), turn)
      expected.set('0005', 30)
      expect(Object.fromEntries(table)).toEqual(Object.fromEntries(expected))
    })

    test('a chunk may be asked for within bounds, also within none', async () => {
      for (let id = 1; id <= 5; id++) await database.commit([change('insert', id, 1)])
      await begin()
      const chunk = async (request: Partial<Pick<ChunkRequest, 'after' | 'upTo' | 'limit'>>) => {
        reader.stream.requestChunk({ table: database.table, limit: 3, ...request })
        for (;;) {
          const item = await reader.next()
          if (item.kind === 'chunk') return item
        }
      }
      const some = await chunk({ after: ['0001'], upTo: ['0004'] })
      expect(some.rows.map(({ key }) => key[0])).toEqual(['0002', '0003', '0004'])
      expect(some).toMatchObject({ to: ['0004'], end: false })
      const less = await chunk({ after: ['0001'], upTo: ['0004'], limit: 2 })
      expect(less.rows.map(({ key }) => key[0])).toEqual(['0002', '0003'])
      expect(less).toMatchObject({ to: ['0003'], end: false })
      expect(await chunk({ upTo: [] })).toMatchObject({ rows: [] })
      expect(await chunk({ after: ['0005'] })).toMatchObject({ rows: [], to: [], end: true })
    })
  })
}

interface Told {
  readonly part: TransactionPart
  readonly change: Change
}

/** Takes a stream apart, one item at a time. */
class Reader {
  readonly stream: ChangeStream
  readonly #items: AsyncIterator<StreamItem>

  constructor(stream: ChangeStream) {
    this.stream = stream
    this.#items = stream[Symbol.asyncIterator]()
  }

  async next(): Promise<StreamItem> {
    const { value, done } = await this.#items.next()
    if (done) throw new Error('The stream has ended')
    return value
  }

  /** The next so many changes, each with its part; a part's end is that of its transaction. */
  async changes(count: number): Promise<readonly Told[]> {
    const all: Told[] = []
    while (all.length < count) {
      const item = await this.next()
      if (item.kind === 'changes') all.push(...item.changes.map((change) => ({ part: item, change })))
    }
    return all
  }

  /** Resolves when the stream is over, by an end or an error. */
  async ended(): Promise<void> {
    try {
      for (;;) await this.next()
    } catch {
      // However it ends.
    }
  }

  close(): Promise<void> {
    return this.stream.close()
  }
}
