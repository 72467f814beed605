import type { ClickReport } from './processor.ts'

const mostLines = 40

/** Everything that is wrong with a run, a line each; none for a good one. */
export function clickFaults({
  tale,
  verdict,
  imbalances,
  leaseMs,
  takeoverMs,
}: ClickReport): readonly string[] {
  const late = tale.takeoversMs.filter((ms) => ms > leaseMs + takeoverMs)
  return [
    ...verdict.wrongEchoes.map((one) => `echoes of ${one}`),
    ...verdict.wrongStates.map((one) => `state of ${one}`),
    ...verdict.wrongNotes.map((one) => `notes: ${one}`),
    ...verdict.ledger.map((one) => `ledger at the end: ${one}`),
    ...imbalances.map((one) => `ledger while running: ${one}`),
    ...late.map((ms) => `a takeover took ${Math.round(ms)} ms, with a lease of ${leaseMs} ms`),
    ...tale.complaints,
    ...unproven(tale).map((name) => `nothing proven: there were no ${name}`),
  ]
}

/** What has not happened yet of all that a run is made for. */
export function unproven(tale: ClickReport['tale']): readonly string[] {
  const { kills, pauses, cuts, lostAnswers, hangs, fenced, news } = tale
  const all = { kills, pauses, cuts, lostAnswers, hangs, fenced, parkings: news['parked'] ?? 0 }
  return Object.entries(all).flatMap(([name, count]) => (count === 0 ? [name] : []))
}

/** A report for people. */
export function clickText(report: ClickReport): string {
  const { tale, verdict, leaseMs } = report
  const wrong = clickFaults(report)
  const takeovers = tale.takeoversMs.toSorted((a, b) => a - b).map((ms) => Math.round(ms))
  const news = Object.entries(tale.news).map(([name, count]) => `${count} ${name}`)
  return [
    `processor with seed ${report.seed}: ${Math.round(report.seconds)} s`,
    `${verdict.clicks} clicks of ${verdict.keys} keys: ${verdict.echoes} echoes, ${verdict.notes} notes (${verdict.notesRepeated} written again)`,
    `faults: ${tale.kills} kills, ${tale.pauses} pauses past the lease, ${tale.cuts} cuts, ${tale.lostAnswers} lost answers, ${tale.hangs} hangs`,
    `commits refused as fenced: ${tale.fenced}, known already: ${tale.already}; ${tale.leases} leases`,
    `takeovers with a lease of ${leaseMs} ms: ${takeovers.length}, median ${takeovers[takeovers.length >> 1] ?? 0} ms, longest ${takeovers.at(-1) ?? 0} ms`,
    `news: ${news.join(', ')}`,
    `the ledger was looked at ${report.looks} times while all this went on`,
    ...wrong.slice(0, mostLines),
    ...(wrong.length > mostLines ? [`… and ${wrong.length - mostLines} more`] : []),
    wrong.length === 0 ? 'order, states, echoes, notes and ledgers are right' : `${wrong.length} wrong`,
  ].join('\n')
}
