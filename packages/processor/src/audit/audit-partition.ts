import { systemTimers, type Timers } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import type { RetryRef } from '@millrace/retry'
import type { DeadItem } from '../dead-item.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { GroupStore } from '../group-store.ts'
import type { ParkedKey } from '../parked-key.ts'
import type { AuditDifference } from './audit-difference.ts'
import { faultOfLetter, faultOfLine } from './list-faults.ts'

/** The jobs that stand for parked heads, as the clock of retries has them. */
export interface GroupJobs {
  jobsOf(at: GroupPartition): AsyncIterable<Pick<RetryRef, 'key' | 'parkNo'>>
}

/** What an audit looks at. */
export interface AuditParts {
  readonly store: Pick<
    GroupStore,
    'audit' | 'parked' | 'loadStates' | 'deadItems' | 'deadLetters' | 'dueKeys'
  >
  readonly log: Pick<EventLog, 'readAt' | 'readKey'>
  /** Absent: jobs are not compared. */
  readonly jobs?: GroupJobs | undefined
}

/** Bounds of an audit. */
export interface AuditOptions {
  /** How long jobs and records may differ before it counts, in ms: a sweep of the owners mends it. Default 35,000. */
  readonly sweepMs?: number
  readonly signal?: AbortSignal
  readonly timers?: Timers
  /** Called as parked keys and dead letters are looked at. */
  readonly onProgress?: (progress: { readonly looked: number; readonly total: number }) => void
}

const page = 100

/**
 * Audits a partition of a group that may be at work: the two equations in one step, then each list: whether what it
 * names is on the log, and whether jobs and records stand for each other. What a list seems to lack is looked at again
 * before it counts, because the group goes on meanwhile.
 */
export async function auditPartition(
  parts: AuditParts,
  at: GroupPartition,
  options: AuditOptions = {},
): Promise<readonly AuditDifference[]> {
  const { counters, findings } = await parts.store.audit(at)
  const place = { topic: at.topic.name, group: at.group, partition: at.partition }
  const found: AuditDifference[] = findings.map(({ what, expected, found: is, mend }) => ({
    ...place,
    what,
    expected,
    found: is,
    repair: `millrace mend --topic ${place.topic} --group ${place.group} --partition ${place.partition} --part ${mend} --actor … --reason …`,
  }))
  const total = counters.parked * 2 + counters.dead
  let looked = 0
  const tick = (count: number) => {
    looked += count
    options.onProgress?.({ looked, total: Math.max(total, looked) })
  }
  for await (const keys of parkedPages(parts, at, options.signal)) {
    for (const parked of keys) {
      const fault = await confirmed(parts, at, parked)
      if (fault !== undefined) found.push({ ...place, key: parked.key, ...fault })
    }
    tick(keys.length)
  }
  for await (const items of deadPages(parts, at, options.signal)) {
    for (const item of items) {
      const fault = item.letter && (await faultOfLetter(parts, at, item.letter))
      if (fault) found.push({ ...place, key: item.key, ...fault })
    }
    tick(items.length)
  }
  if (parts.jobs) {
    const differences = await compareJobs(parts, parts.jobs, at, options)
    found.push(...differences.map((one) => ({ ...place, ...one })))
  }
  return found
}

/** A key may have gone on since its page was read. */
async function confirmed(parts: AuditParts, at: GroupPartition, parked: ParkedKey) {
  const fault = await faultOfLine(parts, at, parked)
  if (fault === undefined) return undefined
  const [again] = await parts.store.loadStates(at, [parked.key])
  return again?.parked ? faultOfLine(parts, at, again.parked) : undefined
}

type JobDifference = Pick<AuditDifference, 'what' | 'key' | 'repair'>

async function compareJobs(
  parts: AuditParts,
  jobs: GroupJobs,
  at: GroupPartition,
  { sweepMs = 35_000, signal, timers = systemTimers }: AuditOptions,
): Promise<readonly JobDifference[]> {
  const first = await jobDifferences(parts, jobs, at, signal)
  if (first.size === 0 || signal?.aborted) return []
  await new Promise<void>((resolve) => {
    const cancel = timers.set(sweepMs, resolve)
    const stop = () => {
      cancel()
      resolve()
    }
    signal?.addEventListener('abort', stop, { once: true })
  })
  if (signal?.aborted) return []
  const second = await jobDifferences(parts, jobs, at, signal)
  return [...second].flatMap(([name, difference]) => (first.has(name) ? [difference] : []))
}

/** By key and number of the head: what has a record and no job, or a job and no record. */
async function jobDifferences(
  parts: AuditParts,
  jobs: GroupJobs,
  at: GroupPartition,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, JobDifference>> {
  const planned = new Map<string, string>()
  for await (const { key, parkNo } of jobs.jobsOf(at)) planned.set(`${parkNo} ${key}`, key)
  const due = new Set((await parts.store.dueKeys(at, Number.MAX_SAFE_INTEGER, 1_000)).map(({ key }) => key))
  const differences = new Map<string, JobDifference>()
  const group = `--topic ${at.topic.name} --group ${at.group}`
  for await (const keys of parkedPages(parts, at, signal))
    for (const { key, no, note } of keys) {
      const name = `${no} ${key}`
      // A due head needs no job any more, a held one may have one to be looked at.
      if (!planned.delete(name) && note.why === 'retry' && !due.has(key))
        differences.set(name, {
          what: 'a parked key has no job: nobody will retry it',
          key,
          repair: `millrace parked requeue ${group} --key ${key} --actor … --reason …`,
        })
    }
  for (const [name, key] of planned)
    differences.set(name, {
      what: 'a job has no park record: it does nothing when it is due',
      key,
      repair: `millrace parked ls ${group} --key ${key}`,
    })
  return differences
}

async function* parkedPages(
  { store }: AuditParts,
  at: GroupPartition,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly ParkedKey[]> {
  let after: string | undefined
  do {
    const { items, next } = await store.parked(at, { limit: page, ...(after === undefined ? {} : { after }) })
    yield items
    after = next
  } while (after !== undefined && !signal?.aborted)
}

async function* deadPages(
  { store }: AuditParts,
  at: GroupPartition,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly DeadItem[]> {
  let after: string | undefined
  do {
    const { items, next } = await store.deadItems(at, {
      limit: page,
      ...(after === undefined ? {} : { after }),
    })
    yield items
    after = next
  } while (after !== undefined && !signal?.aborted)
}
