import { partitionOfKey } from '@millrace/event'
import { beginning, type EventLog, type Recorded } from '@millrace/log'
import type { openPool } from '@millrace/postgres'
import { changed, keyOf, tables } from './change-tables.ts'
import type { TrueChange } from './change-truth.ts'

/** What is wrong on the log, and how much there is. */
export interface ChangeVerdict {
  readonly changes: number
  readonly snapshots: number
  readonly large: number
  readonly faults: readonly string[]
}

/** Compares the topic with what was committed: each partition, event by event. */
export async function changeVerdict(
  log: EventLog,
  pool: ReturnType<typeof openPool>,
  truth: readonly TrueChange[],
): Promise<ChangeVerdict> {
  const all = (
    await Promise.all(Array.from({ length: changed.partitions }, (_, at) => readAll(log, at)))
  ).flat()
  const faults: string[] = []
  for (let partition = 0; partition < changed.partitions; partition++) {
    const told = all
      .filter(({ position, event }) => position.partition === partition && event.type === 'RowChanged')
      .map(({ event }) => textOf(event.subject, event.data as Record<string, unknown>))
    const committed = truth
      .map((one) => [keyOf(one.table, one.id), one] as const)
      .filter(([key]) => partitionOfKey(changed, key) === partition)
      .map(([key, one]) => textOfTruth(key, one))
    const at = committed.findIndex((text, index) => text !== told[index])
    if (at >= 0 || told.length !== committed.length)
      faults.push(
        `partition ${partition}: ${told.length} of ${committed.length} changes; the first difference at ${at}: ` +
          `${short(told[at])} instead of ${short(committed[at])}`,
      )
  }
  const ids = new Set(all.map(({ event }) => event.id))
  if (ids.size !== all.length) faults.push(`${all.length - ids.size} events are on the log twice`)
  faults.push(...(await stateFaults(pool, all)))
  const of = (type: string) => all.filter(({ event }) => event.type === type).length
  const large = all.filter(({ event }) => {
    const { body } = event.data as { body?: unknown }
    return typeof body === 'string' && body.length > 4_000
  }).length
  return { changes: of('RowChanged'), snapshots: of('RowSnapshot'), large, faults }
}

/** Snapshots and changes, folded in the order of the log, come to the tables as they are. */
async function stateFaults(
  pool: ReturnType<typeof openPool>,
  all: readonly Recorded[],
): Promise<readonly string[]> {
  const folded = new Map<string, string>()
  for (const { event } of all) {
    const data = event.data as { kind?: string; op?: string }
    if (data.kind === 'delete') folded.delete(event.subject)
    else folded.set(event.subject, String(data.op))
  }
  const faults: string[] = []
  let rowsInAll = 0
  for (const table of tables) {
    const { rows } = await pool.query<{ id: number; op: string }>(`SELECT id, op::text FROM ${table}`)
    rowsInAll += rows.length
    const wrong = rows.filter(({ id, op }) => folded.get(keyOf(table, id)) !== op)
    if (wrong.length > 0)
      faults.push(`${table}: ${wrong.length} rows are others than the log says, such as ${wrong[0]?.id}`)
  }
  if (folded.size !== rowsInAll) faults.push(`The log says ${folded.size} rows, the tables have ${rowsInAll}`)
  return faults
}

function textOf(key: string, data: Record<string, unknown>): string {
  const { kind, op, body } = data
  return [key, kind, op ?? '', body ?? ''].map(String).join('|')
}

function textOfTruth(key: string, { kind, op, body }: TrueChange): string {
  return [key, kind, op ?? '', body ?? ''].join('|')
}

function short(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.slice(0, 80)
}

async function readAll(log: EventLog, partition: number): Promise<readonly Recorded[]> {
  const all: Recorded[] = []
  for (;;) {
    const cursor = all.at(-1)?.position.id ?? beginning
    const page = (await log.read(changed, new Map([[partition, cursor]]), { limit: 500 })).get(partition)
    if (!page) return all
    all.push(...page)
  }
}
