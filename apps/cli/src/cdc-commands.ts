import { MillraceError } from '@millrace/event'
import { connectPipelineStore } from '@millrace/redis'
import type { PipelineRecord, PipelineStatus, PipelineStore } from '@millrace/source'
import { exitCodes } from './exit-codes.ts'
import { reached } from './log-system.ts'
import type { RunningSystem } from './running-system.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** Connects, runs a command, and closes whatever happens. */
export async function withPipelines<T>(
  { redisUrl }: RunningSystem,
  act: (store: PipelineStore) => Promise<T>,
): Promise<T> {
  const store = await reached(connectPipelineStore({ url: redisUrl, name: 'millrace-cli' }))
  try {
    return await act(store)
  } finally {
    await store.close()
  }
}

/** A pipeline as its reader has told of it last. */
interface Shown extends Partial<PipelineStatus> {
  readonly pipeline: string
  /** Who reads it; null: nobody. */
  readonly reader: string | null
  readonly paused: boolean
}

/** `millrace cdc ls`: exit code 1 where a pipeline is not read although it is not paused. */
export async function cdcList(
  store: PipelineStore,
  options: OutputOptions,
  terminal: Terminal,
): Promise<number> {
  const all = (await store.list()).map(shown)
  if (options.json) terminal.out.write(`${JSON.stringify(all)}\n`)
  else {
    const rows = all.map((one) => [
      one.pipeline,
      one.state ?? '-',
      one.reader ?? '-',
      bytes(one.behindBytes),
      bytes(one.retainedBytes),
      one.committedAt || '-',
      one.error?.message ?? '',
    ])
    const head = ['PIPELINE', 'STATE', 'READER', 'BEHIND', 'RETAINED', 'LAST COMMIT', 'ERROR']
    terminal.out.write(table([head, ...rows]))
  }
  return all.some(isWrong) ? exitCodes.findings : exitCodes.ok
}

/** `millrace cdc status`. */
export async function cdcStatus(
  store: PipelineStore,
  pipeline: string,
  options: OutputOptions,
  terminal: Terminal,
): Promise<number> {
  const one = shown(await known(store, pipeline))
  if (options.json) terminal.out.write(`${JSON.stringify(one)}\n`)
  else {
    const { state, reader, position, committedAt, changes, events, transactions, error } = one
    const rows = [
      ['state', state ?? '-'],
      ['reader', reader ?? 'nobody'],
      ['position', position || '-'],
      ['last commit', committedAt || '-'],
      ['behind', bytes(one.behindBytes)],
      ['retained', bytes(one.retainedBytes)],
      [
        'since its start',
        `${changes ?? 0} changes, ${transactions ?? 0} transactions, ${events ?? 0} events`,
      ],
      ...(one.snapshots ?? []).map((snapshot) => [
        `snapshot ${snapshot.table}`,
        snapshot.done ? `${snapshot.rows} rows, done` : `${snapshot.rows} of about ${snapshot.of} rows`,
      ]),
      ...(error ? [['error', `${error.code}: ${error.message}`]] : []),
    ]
    terminal.out.write(table(rows))
  }
  return isWrong(one) ? exitCodes.findings : exitCodes.ok
}

/** `millrace cdc pause`. */
export async function cdcPause(
  store: PipelineStore,
  pipeline: string,
  options: OutputOptions,
  terminal: Terminal,
): Promise<number> {
  await known(store, pipeline)
  await store.pause(pipeline)
  return done(
    `${pipeline} is paused. Its database keeps its log until it goes on.`,
    { pipeline, paused: true },
    options,
    terminal,
  )
}

/** `millrace cdc resume`. */
export async function cdcResume(
  store: PipelineStore,
  pipeline: string,
  options: OutputOptions,
  terminal: Terminal,
): Promise<number> {
  await known(store, pipeline)
  await store.resume(pipeline)
  return done(`${pipeline} goes on.`, { pipeline, paused: false }, options, terminal)
}

/** `millrace cdc snapshot`: one more of a table, which its reader has to know. */
export async function cdcSnapshot(
  store: PipelineStore,
  pipeline: string,
  options: OutputOptions & { readonly table: string },
  terminal: Terminal,
): Promise<number> {
  // Where no reader has said yet which tables there are, the order waits for one.
  const { tables = [options.table] } = shown(await known(store, pipeline))
  if (!tables.includes(options.table))
    throw new MillraceError(
      'request.invalid',
      `${pipeline} does not map a table "${options.table}"; it maps ${tables.join(', ')}`,
    )
  const run = await store.snapshot(pipeline, options.table)
  const text = `Snapshot ${run} of ${options.table} is ordered; millrace cdc status ${pipeline} shows how far it is.`
  return done(text, { pipeline, table: options.table, run }, options, terminal)
}

/** `millrace cdc restart`. */
export async function cdcRestart(
  store: PipelineStore,
  pipeline: string,
  options: OutputOptions & { readonly yes?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { error } = shown(await known(store, pipeline))
  if (!options.yes) {
    terminal.err.write(
      `Would begin ${pipeline} anew where its database stands, and tell every row of its tables once more. ` +
        'What was deleted in the gap is never told.' +
        `${error ? `\nIt says: ${error.message}` : '\nIt is not stopped by an error: there may be no need.'}` +
        '\nNothing was done. Add --yes to do it.\n',
    )
    return exitCodes.ok
  }
  await store.restart(pipeline)
  return done(`${pipeline} begins anew.`, { pipeline, restarted: true }, options, terminal)
}

function done(text: string, json: object, options: OutputOptions, terminal: Terminal): number {
  if (options.json) terminal.out.write(`${JSON.stringify(json)}\n`)
  else terminal.err.write(`${text}\n`)
  return exitCodes.ok
}

async function known(store: PipelineStore, pipeline: string): Promise<PipelineRecord> {
  const record = await store.look(pipeline)
  if (record) return record
  const names = (await store.list()).map((one) => one.pipeline).join(', ')
  throw new MillraceError('stream.unknown', `There is no pipeline "${pipeline}"; there is ${names || 'none'}`)
}

function shown({ pipeline, holder, leftMs, orders, status }: PipelineRecord): Shown {
  const said = status === '' ? {} : (JSON.parse(status) as PipelineStatus)
  return { pipeline, reader: leftMs > 0 ? (holder ?? null) : null, paused: orders.paused, ...said }
}

function isWrong({ reader, paused, state }: Shown): boolean {
  return (reader === null && !paused) || state === 'stopped'
}

function bytes(count: number | undefined): string {
  if (count === undefined) return '-'
  if (count < 1024 * 1024) return `${Math.ceil(count / 1024)} KiB`
  return `${(count / (1024 * 1024)).toFixed(1)} MiB`
}
