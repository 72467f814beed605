import { setTimeout as pause } from 'node:timers/promises'
import type { EventLog } from '@millrace/log'
import { parseMark, streamChannel } from '@millrace/source'
import type { CentralDatabase } from '@millrace-app/purchasing'
import { supply } from '@millrace-app/restocking/topics'

/** Name of the pipeline from the central database. */
export const supplyPipeline = 'restocking-faults'
/** Schema of its tables. */
export const centralSchema = 'purchasing'

/** Resolves with true when the log has everything that is committed now. */
export async function streamCaughtUp(
  log: Pick<EventLog, 'channel'>,
  central: CentralDatabase,
  patienceMs: number,
): Promise<boolean> {
  const ask = (sql: string) => central.read((queries) => queries.rows<{ at: string }>(sql))
  const [row] = await ask('SELECT pg_current_wal_lsn()::text AS at')
  const end = placeOf(row?.at ?? '')
  for (const untilMs = performance.now() + patienceMs; performance.now() < untilMs; await pause(50)) {
    const least = await leastMark(log).catch(() => undefined)
    if (least !== undefined && least >= end) return true
    // The end of the log may lie behind what anybody is told of: something more is written.
    await ask(`SELECT pg_logical_emit_message(true, 'faults', 'is it there yet')::text AS at`)
  }
  return false
}

/** Where the partition stands that is furthest behind; undefined before the pipeline has begun. */
async function leastMark(log: Pick<EventLog, 'channel'>): Promise<string | undefined> {
  const channel = streamChannel(supplyPipeline)
  const states = await Promise.all(
    Array.from({ length: supply.partitions }, (_, at) => log.channel(supply, at, channel)),
  )
  const marks = states.flatMap(({ mark }) => (mark === undefined ? [] : [parseMark(mark).position]))
  return marks.length < states.length ? undefined : marks.toSorted().at(0)
}

function placeOf(lsn: string): string {
  const [high = '', low = ''] = lsn.toLowerCase().split('/')
  return high.padStart(8, '0') + low.padStart(8, '0')
}
