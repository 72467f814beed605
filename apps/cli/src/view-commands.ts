import { MillraceError } from '@millrace/event'
import { formatPosition, parsePosition, type Position } from '@millrace/log'
import type { RebuildResult } from '@millrace/view'
import { exitCodes } from './exit-codes.ts'
import { type KnownView, viewNamed } from './known-views.ts'
import type { LogSystem } from './log-system.ts'
import { databaseOf, type RunningSystem } from './running-system.ts'
import { progressOn, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** What is to be rebuilt. */
export interface ViewRebuild extends OutputOptions {
  /** The last position that is right; absent: everything is made anew. */
  readonly from?: string
  /** Do it; without, only say what would be done. */
  readonly yes?: boolean
}

/** `millrace view rebuild <view>`: makes a view anew beside the live one and swaps it in. Nothing is sent. */
export async function viewRebuild(
  on: Pick<LogSystem, 'log'>,
  system: Pick<RunningSystem, 'databaseUrl'>,
  name: string,
  options: ViewRebuild,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const view = viewNamed(name)
  const databaseUrl = databaseOf(system)
  const from = options.from === undefined ? undefined : await positionOn(view, on, options.from)
  if (!options.yes) return proposed(view, on, from, terminal)
  const progress = progressOn(terminal, 'Rebuilding')
  try {
    const result = await view.rebuild(databaseUrl, {
      log: on.log,
      signal,
      ...(from ? { from } : {}),
      onProgress: ({ applied, total }) => progress.update(applied, total),
    })
    return finished(result, options, terminal)
  } catch (error) {
    if (!signal.aborted) throw error
    terminal.err.write('Stopped; the live view is as it was. The same command goes on from there.\n')
    return exitCodes.interrupted
  } finally {
    progress.end()
  }
}

async function positionOn(
  { name, topic }: KnownView,
  { log }: Pick<LogSystem, 'log'>,
  text: string,
): Promise<Position> {
  const position = parsePosition(text)
  if (position.topic !== topic.name)
    throw new MillraceError('position.invalid', `${name} is made of ${topic.name} alone`)
  if (!(await log.readAt(topic, position)))
    throw new MillraceError('position.invalid', `There is no event at ${formatPosition(position)}`)
  return position
}

async function proposed(
  { name, topic }: KnownView,
  { log }: Pick<LogSystem, 'log'>,
  from: Position | undefined,
  terminal: Terminal,
): Promise<number> {
  const tips = await log.tips(topic)
  const all = tips.reduce((sum, { seq }) => sum + seq, 0)
  const behind = tips.find(({ partition }) => partition === from?.partition)
  const events = from && behind ? behind.seq - from.seq : all
  const what = from
    ? `take back what partition ${from.partition} holds of the ${events} events after ${formatPosition(from)}, read them anew`
    : `read ${events} events of ${topic.name}`
  terminal.err.write(
    `Would ${what} into a copy beside the live view of ${name}, which goes on being read and written, and swap them. ` +
      'Nothing is sent.\nNothing was done. Add --yes to do it.\n',
  )
  return exitCodes.ok
}

function finished(
  { applied, resumed, skipped }: RebuildResult,
  options: OutputOptions,
  terminal: Terminal,
): number {
  const letters = skipped.map(({ position, error }) => ({
    position: formatPosition(position),
    code: error.code,
    message: error.message,
  }))
  if (options.json) terminal.out.write(`${JSON.stringify({ applied, resumed, skipped: letters })}\n`)
  for (const { position, message } of letters) terminal.err.write(`${position} was left out: ${message}\n`)
  terminal.err.write(
    `Swapped in with ${applied} events${resumed ? ', going on with an earlier rebuild' : ''}.\n`,
  )
  return letters.length === 0 ? exitCodes.ok : exitCodes.findings
}
