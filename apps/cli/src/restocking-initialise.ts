import { setTimeout as delay } from 'node:timers/promises'
import { linesOf } from '@millrace-app/restocking'
import { exitCodes } from './exit-codes.ts'
import { groupsNamed, type LogSystem } from './log-system.ts'
import { refusalIn } from './refused-answer.ts'
import { postTo, type RestockingPlace } from './restocking-place.ts'
import { progressOn, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

interface Told {
  readonly rows?: number
  readonly of?: number
  readonly problem?: { readonly title?: string; readonly detail?: string }
}

/**
 * `millrace restocking initialise`: fills the system from the central database. Says how far it is on stderr.
 *
 * @param settled Waits until every verdict is in the view; undefined: the command ends when all is on the log.
 */
export async function initialiseRestocking(
  place: RestockingPlace,
  options: OutputOptions,
  terminal: Terminal,
  signal: AbortSignal,
  settled?: (onLag: (events: number) => void) => Promise<void>,
): Promise<number> {
  const from = performance.now()
  const rows = await fill(place, terminal, signal)
  if (rows === undefined) return exitCodes.findings
  const told = seconds(from)
  if (settled) {
    let most = 0
    const progress = progressOn(terminal, 'events settled')
    await settled((lag) => {
      most = Math.max(most, lag)
      progress.update(most - lag, most)
    }).finally(() => progress.end())
  }
  const report = { rows, toldSeconds: told, ...(settled ? { settledSeconds: seconds(from) } : {}) }
  if (options.json) terminal.out.write(`${JSON.stringify(report)}\n`)
  else {
    const end =
      report.settledSeconds === undefined ? '' : `, every verdict in the view ${report.settledSeconds} s`
    terminal.out.write(`${rows} rows on the log after ${told} s${end}\n`)
  }
  return exitCodes.ok
}

async function fill(
  place: RestockingPlace,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number | undefined> {
  const answer = await postTo(place, '/initialise', signal)
  if (!answer.ok || !answer.body) throw await refusalIn(answer, 'Restocking', 'SERVICE_TOKEN')
  const last = await lastTold(answer.body, terminal, signal)
  if (last.rows !== undefined && last.rows === last.of) return last.rows
  const why = last.problem?.detail ?? last.problem?.title ?? 'it broke off'
  terminal.err.write(`Not all of it was told: ${why}. It can be begun again.\n`)
  return undefined
}

/** What was told last; an answer that is cut ends with what came before that. */
async function lastTold(
  body: ReadableStream<Uint8Array>,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Told> {
  let last: Told = {}
  const terminalLine = terminal.err.isTTY === true ? '\r' : ''
  try {
    for await (const line of linesOf(body)) {
      last = JSON.parse(line) as Told
      // How many there are is known at the end alone.
      if (last.rows !== undefined && (terminalLine !== '' || last.rows % 10_000 === 0))
        terminal.err.write(`${terminalLine}rows read: ${last.rows}${terminalLine === '' ? '\n' : ''}`)
    }
  } catch {
    signal.throwIfAborted()
  } finally {
    if (terminalLine !== '') terminal.err.write('\n')
  }
  return last
}

/** How many events of both groups of restocking are not settled yet. */
export async function restockingLag({ log, groups: store }: LogSystem): Promise<number> {
  const both = [...groupsNamed('supply', 'restocking'), ...groupsNamed('suggestions', 'restocking-view')]
  const lags = await Promise.all(
    both.map(async ({ topic, group }) => {
      const tips = await log.tips(topic)
      const states = await Promise.all(tips.map(({ partition }) => store.look({ topic, group, partition })))
      return tips.reduce((sum, { seq }, at) => sum + seq - (states[at]?.position.seq ?? 0), 0)
    }),
  )
  return lags.reduce((sum, one) => sum + one, 0)
}

/** Waits until both groups of restocking have settled what lies on their topics. */
export async function restockingSettled(
  on: LogSystem,
  signal: AbortSignal,
  onLag: (events: number) => void = () => undefined,
): Promise<void> {
  for (let still = 0; still < 2;) {
    signal.throwIfAborted()
    const lag = await restockingLag(on)
    onLag(lag)
    // Events of the first group become events of the second: nothing twice in a row is nothing.
    still = lag === 0 ? still + 1 : 0
    if (still < 2) await delay(200)
  }
}

function seconds(from: number): number {
  return Math.round((performance.now() - from) / 100) / 10
}
