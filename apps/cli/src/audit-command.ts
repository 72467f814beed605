import {
  type AuditDifference,
  auditPartition,
  type GroupJobs,
  type GroupPartition,
} from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import { partitionsNamed } from './group-partitions.ts'
import type { LogSystem } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { type Progress, table, withProgress } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** Options of `millrace audit`. */
export interface AuditCommand extends OutputOptions {
  readonly topic?: string
  readonly group?: string
  /** How long jobs and records may differ before it counts, in ms. */
  readonly sweep: number
  /** Absent: jobs are not compared. */
  readonly jobs?: GroupJobs | undefined
}

/**
 * `millrace audit`: whether nothing has disappeared: counters against what lies in the structures, each list against
 * the log, on a system that works. Exit code 1 when something does not fit; each difference comes with its repair.
 */
export async function auditGroups(
  on: LogSystem,
  options: AuditCommand,
  around: Surroundings,
): Promise<number> {
  const places = partitionsNamed(options)
  const { found, looked } = await withProgress(around, 'Auditing', (progress) =>
    audited(on, places, options, around, progress),
  )
  if (options.json) around.out.write(`${JSON.stringify(found)}\n`)
  else if (found.length > 0) {
    const rows = found.map((one) => [
      one.topic,
      one.group,
      String(one.partition),
      one.what,
      one.key ?? '-',
      String(one.expected ?? '-'),
      String(one.found ?? '-'),
      one.repair,
    ])
    const head = 'TOPIC,GROUP,PARTITION,WHAT,KEY,EXPECTED,FOUND,REPAIR'.split(',')
    around.out.write(table([head, ...rows]))
  }
  if (!options.jobs) around.err.write('MILLRACE_SECRET is not known here: jobs were not compared.\n')
  const s = found.length === 1 ? '' : 's'
  around.err.write(
    `${places.length} partitions, ${looked} records looked at, ${found.length} difference${s}.\n`,
  )
  if (around.signal.aborted) return exitCodes.interrupted
  return found.length === 0 ? exitCodes.ok : exitCodes.findings
}

async function audited(
  on: LogSystem,
  places: readonly GroupPartition[],
  { jobs, sweep: sweepMs }: AuditCommand,
  { signal }: Surroundings,
  progress: Pick<Progress, 'update'>,
): Promise<{ readonly found: readonly AuditDifference[]; readonly looked: number }> {
  const found: AuditDifference[] = []
  const parts = { store: on.groups, log: on.log, jobs }
  let before = 0
  let known = 0
  for (const at of places) {
    if (signal.aborted) break
    let looked = 0
    const onProgress = (now: { looked: number; total: number }) => {
      looked = now.looked
      known = Math.max(known, before + now.total)
      progress.update(before + looked, known)
    }
    found.push(...(await auditPartition(parts, at, { signal, onProgress, sweepMs })))
    before += looked
  }
  return { found, looked: before }
}
