import { MillraceError } from '@millrace/event'
import pg, { type Pool } from 'pg'
import { databaseFailure } from '../database-failure.ts'
import { strictTls } from '../pool.ts'
import { queriesOn } from '../transaction.ts'
import { parseLsn } from './lsn.ts'
import { changesUrl } from './replication-url.ts'

/** A slot as the server tells it. */
export interface SlotFacts {
  /** Transactions from here on will be sent. */
  readonly confirmed: bigint
  readonly behindBytes: number
  readonly retainedBytes: number
  readonly isLost: boolean
  /** The server process that sends it to somebody. */
  readonly activePid: number | null
}

/** The slot of this name; undefined when there is none. */
export async function lookAtSlot(pool: Pool, slot: string): Promise<SlotFacts | undefined> {
  const [row] = await queriesOn(pool).rows<{
    confirmed: string
    behind: string
    retained: string
    lost: boolean
    pid: number | null
  }>(
    `SELECT confirmed_flush_lsn::text AS confirmed, active_pid AS pid, coalesce(wal_status = 'lost', false) AS lost,
            pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text AS behind,
            pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text AS retained
     FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()`,
    [slot],
  )
  if (!row) return undefined
  return {
    confirmed: parseLsn(row.confirmed ?? '0/0'),
    behindBytes: Math.max(0, Number(row.behind ?? 0)),
    retainedBytes: Math.max(0, Number(row.retained ?? 0)),
    isLost: row.lost,
    activePid: row.pid,
  }
}

/** A slot that was just made, with the snapshot of the database as it was at that very place. */
export interface MadeSlot {
  readonly position: bigint
  /** For SET TRANSACTION SNAPSHOT, until `release`. */
  readonly snapshot: string
  release(): Promise<void>
}

/** Makes the slot. Waits until every transaction that runs at this moment has ended. */
export async function makeSlot(url: string, slot: string, applicationName: string): Promise<MadeSlot> {
  const client = new pg.Client({
    connectionString: strictTls(changesUrl(url, 'replication')),
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ consistent_point: string; snapshot_name: string }>(
      `CREATE_REPLICATION_SLOT "${slot}" LOGICAL pgoutput EXPORT_SNAPSHOT`,
    )
    const [made] = rows
    if (!made) throw new Error('The server has made no slot')
    return {
      position: parseLsn(made.consistent_point),
      snapshot: made.snapshot_name,
      release: () => client.end(),
    }
  } catch (error) {
    await client.end().catch(() => undefined)
    throw databaseFailure(error)
  }
}

const patienceMs = 10_000

/** Ends whoever is sent this slot, and waits until it is free. */
export async function freeSlot(pool: Pool, slot: string): Promise<SlotFacts | undefined> {
  const untilMs = performance.now() + patienceMs
  for (;;) {
    const facts = await lookAtSlot(pool, slot)
    if (!facts || facts.activePid === null) return facts
    if (performance.now() > untilMs)
      throw new MillraceError('service.unavailable', `Slot ${slot} is still sent to another reader`)
    await queriesOn(pool).rows('SELECT pg_terminate_backend($1)', [facts.activePid])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
