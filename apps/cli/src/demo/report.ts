import { table, type Terminal } from '../terminal.ts'
import type { InboxFinding } from './inbox-check.ts'
import type { Row } from './judge.ts'
import type { LogFinding } from './log-check.ts'

/** What a run has shown. Also the JSON that it prints. */
export interface Report {
  readonly seed: string
  readonly sent: number
  /** From the first request to the last answer. */
  readonly seconds: number
  /** Requests that were sent again because no clear answer came. */
  readonly repeats: number
  readonly ms: Durations
  readonly answers: readonly Row[]
  /** Different addresses that asked for an account. */
  readonly addresses: number
  readonly log: LogFinding
  readonly inbox?: InboxFinding
  readonly differences: readonly string[]
}

/** How long single requests took, in ms. */
export interface Durations {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** Percentiles of durations, rounded to ms. */
export function durations(ms: readonly number[]): Durations {
  const sorted = ms.toSorted((a, b) => a - b)
  const at = (part: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

const mostDifferences = 20

/** Prints a table, or JSON, on stdout, and what differs on stderr. */
export function printReport(report: Report, json: boolean, terminal: Terminal): void {
  if (json) terminal.out.write(`${JSON.stringify(report)}\n`)
  else terminal.out.write(tableOf(report))
  const { differences } = report
  for (const difference of differences.slice(0, mostDifferences))
    terminal.err.write(`differs: ${difference}\n`)
  if (differences.length > mostDifferences)
    terminal.err.write(
      `and ${differences.length - mostDifferences} more; repeat with --seed ${report.seed}\n`,
    )
}

function tableOf(report: Report): string {
  const { sent, seconds, ms, repeats, answers, addresses, log, inbox, differences } = report
  const row = (name: string, expected: number, found: number) => [
    name,
    String(expected).padStart(8),
    String(found).padStart(8),
    expected === found ? '' : '← differs',
  ]
  const rows = [
    ['', 'expected', '   found', ''],
    row('sent', sent, sent),
    ...answers.map(({ name, expected, found }) => row(`  ${name}`, expected, found)),
    row('accounts on the log', addresses, log.created),
    ...(inbox ? [row('addresses with a mail', addresses, inbox.mailed)] : []),
  ]
  const rate = (sent / seconds).toFixed(0)
  const verdict = differences.length === 0 ? 'Everything agrees.' : `${differences.length} things differ.`
  return `
${table(rows)}
${seconds.toFixed(1)} s, ${rate} requests/s, p50 ${ms.p50} ms, p95 ${ms.p95} ms, p99 ${ms.p99} ms; ${repeats} repeated after no clear answer
${log.events} events read from the log${inbox ? `, ${inbox.mails} mails (${inbox.repeated} twice)` : ''}
${verdict}
`
}
