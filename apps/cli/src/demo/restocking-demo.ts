import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { suggestions, supply } from '@millrace-app/restocking/topics'
import { exitCodes } from '../exit-codes.ts'
import { initialiseRestocking, restockingSettled } from '../restocking-initialise.ts'
import { progressOn, table, type Terminal } from '../terminal.ts'
import { type Day, passDay } from './restocking-day.ts'
import { type RestockingPlaces, type RestockingRig, withRig } from './restocking-places.ts'
import { refusedAtTheDoor } from './restocking-poison.ts'
import {
  compared,
  type Counts,
  deadByReason,
  EventCounter,
  firstSeenBy,
  listed,
  supplierMails,
} from './restocking-seen.ts'
import { wantedSuggestions } from './restocking-truth.ts'
import { type DayShown, type Row, verdictOn } from './restocking-verdict.ts'

/** What the demo is told. */
export interface RestockingDemo extends RestockingPlaces {
  readonly events: number
  readonly seed: string
  /** How long to wait for the change stream, in ms. */
  readonly patienceMs: number
  readonly json: boolean
}

/** What a run has shown. Also the JSON that it prints. */
interface RestockingReport {
  readonly seed: string
  readonly seconds: number
  readonly rows: readonly Row[]
  readonly clicks: { readonly carriedOut: number; readonly refused: Counts }
  /** Who has seen first that a clicked order was changed: the answer to the click, or the echo. */
  readonly firstSeenBy: Counts
  readonly differences: readonly string[]
}

/**
 * A day of a running system: others move stock, change and place orders in the central database and publish products,
 * some of it poison, while planners click. Then compares what the system says with the rules over the central database.
 *
 * @returns the exit code: `findings` when anything differs
 * @throws MillraceError when the system cannot be reached or does not let us look
 */
export async function restockingDemo(
  demo: RestockingDemo,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  terminal.err.write(`${demo.events} events, seed ${demo.seed}\n`)
  return withRig(demo, async (rig) => {
    const place = { url: demo.restockingUrl, token: demo.serviceToken }
    const quiet = { err: terminal.err, out: new Writable({ write: (_chunk, _encoding, done) => done() }) }
    const filled = await initialiseRestocking(place, {}, quiet, signal, () => restockingSettled(rig, signal))
    if (filled !== exitCodes.ok) return filled
    const report = await runDay(rig, demo, terminal, signal)
    if (signal.aborted) return exitCodes.interrupted
    terminal.out.write(demo.json ? `${JSON.stringify(report)}\n` : textOf(report))
    for (const one of report.differences.slice(0, 20)) terminal.err.write(`differs: ${one}\n`)
    return report.differences.length === 0 ? exitCodes.ok : exitCodes.findings
  })
}

async function runDay(
  rig: RestockingRig,
  demo: RestockingDemo,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<RestockingReport> {
  const since = { supply: await rig.log.tips(supply), suggestions: await rig.log.tips(suggestions) }
  const mailsBefore = rig.inboxUrl === undefined ? new Map() : await supplierMails(rig.inboxUrl)
  const counter = new EventCounter(rig, since.supply)
  const from = performance.now()
  const progress = progressOn(terminal, 'events made')
  const onDone = (events: number): void => progress.update(events, demo.events)
  const day = await passDay(rig, { ...demo, counter, signal, onDone }).finally(() => progress.end())
  await arrived(counter, day, demo.patienceMs, signal)
  await restockingSettled(rig, signal)
  const seconds = (performance.now() - from) / 1_000
  const wanted = await wantedSuggestions(rig.central, new Date().toISOString().slice(0, 10))
  const { differences, kinds } = compared(wanted, await listed(rig))
  const wantedKinds: Record<string, number> = {}
  for (const { kind } of wanted.values()) wantedKinds[kind] = (wantedKinds[kind] ?? 0) + 1
  const { carried, refused } = day.clicks
  const by = await firstSeenBy(rig, carried)
  const { echo = 0, answer = 0 } = by
  const verdict = verdictOn({
    events: { expected: day.events, found: await counter.catchUp() },
    suggested: { expected: wantedKinds, found: kinds },
    dead: { expected: day.dead, found: await deadByReason(rig, since) },
    refused: { expected: refusedAtTheDoor, found: day.refused },
    carried: { expected: carried.length, completed: echo + answer },
    mails: await mailsOf(rig, day, mailsBefore, demo.patienceMs),
    suggestions: differences,
  })
  const clicks = { carriedOut: carried.length, refused }
  return { seed: demo.seed, seconds, clicks, firstSeenBy: by, ...verdict }
}

/** Waits until the change stream has told everything, or nothing more comes. */
async function arrived(
  counter: EventCounter,
  { events }: Day,
  patienceMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (const until = performance.now() + patienceMs; performance.now() < until && !signal.aborted;) {
    const counts = await counter.catchUp()
    if (Object.entries(events).every(([type, count]) => (counts[type] ?? 0) >= count)) return
    await delay(100)
  }
}

/** Mails go out behind the answer of a click. */
async function mailsOf(
  { inboxUrl }: RestockingRig,
  { clicks: { carried } }: Day,
  before: ReadonlyMap<string, number>,
  patienceMs: number,
): Promise<DayShown['mails']> {
  if (inboxUrl === undefined) return undefined
  for (const until = performance.now() + patienceMs; ; await delay(100)) {
    const mails = [...(await supplierMails(inboxUrl))].filter(([id]) => !before.has(id))
    if (mails.length < carried.length && performance.now() < until) continue
    const twice = mails.filter(([, count]) => count > 1).length
    return { expected: carried.length, found: mails.length, twice }
  }
}

function textOf({ rows, seconds, clicks, firstSeenBy: by, differences }: RestockingReport): string {
  const cells = rows.map(({ name, expected, found }) => [
    name,
    String(expected).padStart(8),
    String(found).padStart(8),
    expected === found ? '' : '← differs',
  ])
  const verdict =
    differences.length === 0
      ? 'Everything agrees with the rules over the central database.'
      : `${differences.length} things differ.`
  return `
${table([['', 'expected', '   found', ''], ...cells])}
${textOfClicks(clicks, by)}
${seconds.toFixed(1)} s
${verdict}
`
}

function textOfClicks(
  { carriedOut, refused }: RestockingReport['clicks'],
  { echo = 0, answer = 0 }: Counts,
): string {
  const reasons = Object.entries(refused).toSorted(([, a], [, b]) => b - a)
  const made = reasons.reduce((sum, [, count]) => sum + count, carriedOut)
  const rows = [
    ['clicks of planners', made],
    ['  carried out', carriedOut],
    ...reasons.map(([reason, count]) => [`  refused: ${reason}`, count] as const),
    ['the echo came before the call returned', echo],
    ['the call returned first', answer],
  ] as const
  return table(rows.map(([name, count]) => [name, String(count).padStart(8)]))
}
