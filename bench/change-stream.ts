import { createPostgresSource, openPool } from '@millrace/postgres'
import { connectLog, connectPipelineStore, whenReady, writingConnection } from '@millrace/redis'
import { topic } from '@millrace/event'
import { createPipeline, type Pipeline, tableMapping } from '@millrace/source'
import { z } from 'zod'
import { startPostgres } from '../test/support/postgres.ts'
import { startRedis } from '../test/support/redis.ts'
import { type Contender, interleaved } from './measure.ts'
import { type Report, report } from './report.ts'

const rows = 50_000
const open = z.record(z.string(), z.unknown())
const types = { RowInserted: open, RowUpdated: open, RowDeleted: open, RowSnapshot: open }
const changes = topic('bench-rows', { types, partitions: 8 })
const table = 'public.bench_rows'

/** What one pipeline brings from PostgreSQL to the log: a backlog in transactions of ten rows, of one, and a snapshot. */
export async function benchChangeStream(rounds: number, progress: (line: string) => void): Promise<Report> {
  const [server, postgres] = await Promise.all([startRedis({ appendonly: true }), startPostgres()])
  const redis = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  const [log, store] = [
    await connectLog({ url: server.url }),
    await connectPipelineStore({ url: server.url }),
  ]
  const pool = openPool(postgres.url, { onError: () => undefined, statementTimeoutMs: 120_000 })
  let number = 0
  let pipeline: Pipeline | undefined
  const begin = (snapshot: boolean) => {
    pipeline = createPipeline({
      pipeline: `bench-${number}`,
      source: createPostgresSource({
        url: postgres.url,
        name: `bench-${number}`,
        tables: [{ table }],
        onError: () => undefined,
      }),
      log,
      store,
      settleMs: 20,
      mappings: [
        tableMapping({ table, topic: changes, key: 'id', events: 'Row', snapshot, truncate: 'ignore' }),
      ],
    })
    pipeline.start()
    return pipeline
  }
  const end = async () => {
    await pipeline?.stop()
    pipeline = undefined
    await pool.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE active_pid IS NULL`,
    )
  }
  const reached = async (such: (one: Pipeline) => boolean) => {
    while (pipeline && !such(pipeline)) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const contender = (name: string, rowsPerTransaction: number | undefined): Contender => ({
    name,
    prepare: async () => {
      await end()
      number += 1
      await pool.query(`DROP TABLE IF EXISTS ${table}`)
      await pool.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, op bigint, text text, at timestamptz)`)
      if (rowsPerTransaction !== undefined) {
        begin(false)
        await reached((one) => one.status().state === 'streaming')
        await pipeline?.stop()
      }
      await pool.query(fillSql(rowsPerTransaction ?? rows))
    },
    run: async () => {
      const from = performance.now()
      begin(rowsPerTransaction === undefined)
      await reached((one) => one.status().events >= rows)
      return { events: rows, seconds: (performance.now() - from) / 1_000 }
    },
  })
  try {
    await whenReady(redis)
    const contenders = [contender('ten', 10), contender('one', 1), contender('snapshot', undefined)]
    const samples = await interleaved(contenders, rounds, redis, progress)
    return report('change-stream', [], samples, {
      ten: 'a backlog of inserts of 200 bytes, ten in a transaction',
      one: 'the same, one in a transaction',
      snapshot: 'the same rows as a snapshot, in chunks of 500',
    })
  } finally {
    await end()
    await Promise.all([pool.end(), log.close(), store.close()])
    redis.disconnect()
    await Promise.all([server.stop(), postgres.stop()])
  }
}

function fillSql(rowsPerTransaction: number): string {
  return `DO $$ BEGIN
    FOR t IN 0..${rows / rowsPerTransaction - 1} LOOP
      INSERT INTO ${table} SELECT t * ${rowsPerTransaction} + g, g, repeat('x', 150), now()
      FROM generate_series(1, ${rowsPerTransaction}) AS g;
      COMMIT;
    END LOOP;
  END $$`
}
