import type { ClaimDifference } from '@millrace/uniq'
import type { Violation } from '../uniq/history.ts'

/** What happened to a run; a run in which one of these is 0 has not shown what it is for. */
export interface HistoryFaults {
  readonly kills: number
  readonly pauses: number
  /** Cut between client and Uniq before the request was through, or before its answer was. */
  readonly clientRequestCuts: number
  readonly clientAnswerCuts: number
  /** The same between Uniq and Redis. */
  readonly redisRequestCuts: number
  readonly redisAnswerCuts: number
  /** Attempts whose result nobody knew. */
  readonly unknowns: number
  /** Attempts that were answered with what an earlier one of the same event had done. */
  readonly duplicates: number
  /** Claim changes that met the closed gate and waited. */
  readonly gatedWaits: number
  readonly rebuilds: number
  readonly rotations: number
  readonly killedRebuilds: number
}

/** What a run of contested operations came to. */
export interface HistoryReport {
  readonly seed: number
  readonly seconds: number
  /** Operations by their result, as the clients saw them. */
  readonly results: Readonly<Record<'ok' | 'claimed' | 'failed' | 'unknown', number>>
  readonly attempts: number
  /** Operations that had to be settled by something else that is written, because an attempt could still be under way. */
  readonly settled: number
  readonly events: number
  readonly faults: HistoryFaults
  /** Contradictions in what the clients saw. */
  readonly violations: readonly Violation[]
  /** Where claims and log disagree. */
  readonly differences: readonly ClaimDifference[]
  /** Where the log disagrees with itself, the clients or the claims. */
  readonly disagreements: readonly string[]
  /** Answers and ends that no fault explains. */
  readonly complaints: readonly string[]
}

/** Kinds of faults that did not happen. */
export function missingFaults(faults: HistoryFaults): readonly string[] {
  return Object.entries(faults).flatMap(([name, count]) => (count === 0 ? [name] : []))
}

/** Everything that is wrong with a run, a line each; none for a good one. */
export function faultsOf(report: HistoryReport): readonly string[] {
  return [
    ...report.violations.map((one) => `violation: ${JSON.stringify(one)}`),
    ...report.differences.map((one) => `difference: ${JSON.stringify(one)}`),
    ...report.disagreements.map((one) => `disagreement: ${one}`),
    ...report.complaints.map((one) => `complaint: ${one}`),
    ...missingFaults(report.faults).map((name) => `nothing proven: there were no ${name}`),
  ]
}

const mostLines = 50

/** A report for people. */
export function historyText(report: HistoryReport): string {
  const { results, faults } = report
  const wrong = faultsOf(report)
  const list = (counts: object) =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')
  return [
    `uniq-history with seed ${report.seed}: ${Math.round(report.seconds)} s`,
    `operations: ${list(results)}; ${report.attempts} attempts, ${report.settled} settled, ${report.events} events`,
    `faults: ${list(faults)}`,
    ...wrong.slice(0, mostLines),
    ...(wrong.length > mostLines ? [`… and ${wrong.length - mostLines} more`] : []),
    wrong.length === 0
      ? 'no violation, no difference between claims, log and clients'
      : `${wrong.length} wrong`,
  ].join('\n')
}
