import { setTimeout as pause } from 'node:timers/promises'
import { openPool } from '@millrace/postgres'
import { connectLog, connectPipelineStore, type RedisLog } from '@millrace/redis'
import { parseMark, type PipelineStatus, streamChannel } from '@millrace/source'
import { startPostgres } from '../support/postgres.ts'
import { between, randomOf } from '../support/random.ts'
import { startRedis } from '../support/redis.ts'
import { ChangeReaders, type ReaderTale } from './change-readers.ts'
import { changed, pipeline, tables, tablesSql } from './change-tables.ts'
import { beginTruth, readTruth } from './change-truth.ts'
import { type ChangeVerdict, changeVerdict } from './change-verdict.ts'
import { ChangeWriters, type WriterTale } from './change-writers.ts'

/** What a run is asked for. */
export interface ChangeRunOptions {
  readonly seed: number
  /** Row changes in all. */
  readonly changes: number
  /** SIGKILLs of the reader, spread over them. */
  readonly kills: number
  /** The planted bug: see {@link ReaderOrder}. */
  readonly acknowledgesFirst?: boolean
  readonly onProgress?: (line: string) => void
}

/** What came of it. */
export interface ChangeReport {
  readonly seed: number
  readonly seconds: number
  readonly readers: ReaderTale
  readonly writers: WriterTale
  readonly serverRestarts: { readonly postgres: number; readonly redis: number }
  /** How often it was looked whether the source had been told more than the log had, and where it had. */
  readonly looks: number
  readonly ahead: readonly string[]
  readonly verdict: ChangeVerdict
}

const leaseMs = 1_000
/** How long a reader may take to begin when it is disturbed, in ms. */
const beginMs = 30_000
/** How long a reader may take to begin at first, and in the end for the rest, in ms. */
const patienceMs = 180_000
const rowsBefore = 150

/** Row changes in mixed transactions, and readers that are killed, put to sleep, and lose their servers. */
export async function runChangeStream(options: ChangeRunOptions): Promise<ChangeReport> {
  const { seed, changes, kills, acknowledgesFirst = false, onProgress = () => undefined } = options
  const startMs = performance.now()
  const [redis, postgres] = await Promise.all([startRedis({ appendonly: true }), startPostgres()])
  const pool = openPool(postgres.url, { onError: () => undefined, statementTimeoutMs: 60_000 })
  await pool.query(tablesSql)
  await beginTruthAfterFilling(pool, postgres.url, seed)
  const writers = new ChangeWriters(postgres.url, seed)
  await writers.relearnAll()
  const readers = new ChangeReaders({
    redisUrl: redis.url,
    databaseUrl: postgres.url,
    leaseMs,
    ...(acknowledgesFirst ? { bug: 'acknowledges-first' } : {}),
  })
  const watch = new Watch(redis.url, pool)
  const random = randomOf(seed ^ 0x5eed)
  const serverRestarts = { postgres: 0, redis: 0 }
  const writing = writers.run()
  try {
    readers.start()
    readers.start()
    await readers.someActive(patienceMs)
    watch.start()
    for (let turn = 1; turn <= kills; turn++) {
      if (readers.tale.stopped.length > 0) break
      const write = () => writers.allow(Math.round((changes * turn) / (kills + 1)))
      if (turn % 12 === 4) await readers.sleepThrough(beginMs, write)
      else write()
      if (kills >= 10 && turn % Math.ceil(kills / 3) === 2) {
        onProgress('PostgreSQL is started again')
        await postgres.restart()
        serverRestarts.postgres += 1
      } else if (kills >= 10 && turn % Math.ceil(kills / 3) === 3) {
        onProgress('Redis is killed and started again')
        await redis.kill()
        await redis.restart()
        serverRestarts.redis += 1
      }
      if (turn === Math.ceil(kills / 3)) await writers.bulk(Math.round(changes / 5))
      await readers.someActive(beginMs)
      await pause(between(random, 0, 400))
      await readers.kill(random() < 0.7)
      await watch.look()
      if (turn === Math.ceil(kills / 2)) await watch.orderSnapshot('public.stock')
      if (turn % 10 === 0) onProgress(`${turn} kills, ${writers.tale.changes} changes`)
    }
    writers.allow(changes)
    await readers.proveFence({ beginMs, patienceMs }, () => writers.allow(writers.tale.changes + 20))
    for (const untilMs = performance.now() + patienceMs; !writers.isDone && performance.now() < untilMs;)
      await pause(20)
    writers.stop()
    await writing
    if (readers.tale.stopped.length === 0) await watch.caughtUp(patienceMs)
    const truth = await readTruth(pool)
    const log = await connectLog({ url: redis.url })
    const verdict = await changeVerdict(log, pool, truth)
    await log.close()
    return {
      seed,
      seconds: (performance.now() - startMs) / 1_000,
      readers: readers.tale,
      writers: writers.tale,
      serverRestarts,
      looks: watch.looks,
      ahead: watch.ahead,
      verdict,
    }
  } finally {
    writers.stop()
    await watch.stop()
    await readers.end()
    await writing
    await writers.close()
    await pool.end()
    await Promise.all([redis.stop(), postgres.stop()])
  }
}

/** Rows that are there before the pipeline is: they enter as snapshots alone. */
async function beginTruthAfterFilling(
  pool: ReturnType<typeof openPool>,
  url: string,
  seed: number,
): Promise<void> {
  const filler = new ChangeWriters(url, seed)
  await filler.fill(rowsBefore)
  await filler.close()
  await beginTruth(pool)
}

/** Looks all the time whether the source was told of more than the log has. */
class Watch {
  looks = 0
  readonly ahead: string[] = []
  readonly #url: string
  readonly #pool: ReturnType<typeof openPool>
  #isOver = false
  #log: RedisLog | undefined
  #watching: Promise<void> = Promise.resolve()

  constructor(url: string, pool: ReturnType<typeof openPool>) {
    this.#url = url
    this.#pool = pool
  }

  start(): void {
    this.#watching = (async () => {
      while (!this.#isOver) {
        await this.look()
        await pause(50)
      }
    })()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#watching
    await this.#log?.close()
  }

  /** First what the source was told, then what the log has, which only grows. */
  async look(): Promise<void> {
    try {
      const confirmed = await this.#position('confirmed_flush_lsn')
      if (confirmed === undefined) return
      const least = await this.#least()
      if (least === undefined) return
      this.looks += 1
      if (confirmed > least) this.ahead.push(`confirmed ${confirmed}, on the log ${least}`)
    } catch {
      // A server is being started again.
    }
  }

  /** Resolves when the log has everything that is committed now, and the snapshots that were ordered. */
  async caughtUp(patience: number): Promise<void> {
    await this.#snapshotsDone(patience)
    const { rows } = await this.#pool.query<{ at: string }>('SELECT pg_current_wal_lsn()::text AS at')
    const end = hex(rows[0]?.at ?? '')
    for (const untilMs = performance.now() + patience; performance.now() < untilMs; await pause(50)) {
      const least = await this.#least().catch(() => undefined)
      if (least !== undefined && least >= end) return
      // The end of the log may lie behind what anybody is told of: something more is written.
      await this.#pool.query(`SELECT pg_logical_emit_message(true, 'faults', 'is it there yet')`)
    }
  }

  async #snapshotsDone(patience: number): Promise<void> {
    const store = await connectPipelineStore({ url: this.#url })
    const areDone = async (): Promise<boolean> => {
      const record = await store.look(pipeline)
      if (!record?.status) return false
      const { snapshots } = JSON.parse(record.status) as PipelineStatus
      const wanted = (table: string): number => record.orders.snapshots[table] ?? 1
      return tables.every((name) =>
        snapshots.some(({ table, run, done }) => table === name && done && run >= wanted(table)),
      )
    }
    const untilMs = performance.now() + patience
    while (!(await areDone()) && performance.now() < untilMs) await pause(50)
    await store.close()
  }

  async orderSnapshot(table: string): Promise<void> {
    const store = await connectPipelineStore({ url: this.#url })
    await store.snapshot(pipeline, table)
    await store.close()
  }

  async #position(column: 'confirmed_flush_lsn'): Promise<string | undefined> {
    const { rows } = await this.#pool.query<{ at: string | null }>(
      `SELECT ${column}::text AS at FROM pg_replication_slots WHERE slot_name = $1`,
      [`millrace_${pipeline}`],
    )
    return rows[0]?.at ? hex(rows[0].at) : undefined
  }

  /** Where the partition stands that is furthest behind; undefined before the pipeline has begun. */
  async #least(): Promise<string | undefined> {
    const log = (this.#log ??= await connectLog({ url: this.#url, commandTimeoutMs: 2_000 }))
    const states = await Promise.all(
      Array.from({ length: changed.partitions }, (_, at) =>
        log.channel(changed, at, streamChannel(pipeline)),
      ),
    )
    const marks = states.map(({ mark }) => (mark === undefined ? undefined : parseMark(mark).position))
    if (marks.includes(undefined)) return undefined
    return marks.reduce((low, one) => ((one as string) < (low as string) ? one : low))
  }
}

function hex(lsn: string): string {
  const [high = '', low = ''] = lsn.toLowerCase().split('/')
  return high.padStart(8, '0') + low.padStart(8, '0')
}
