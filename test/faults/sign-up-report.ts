/** A service process that was killed, and what it was doing. */
export interface Kill {
  readonly service: string
  readonly pid: number
  /** Sign-ups that had their answer. */
  readonly settled: number
  /** Requests of visitors under way. */
  readonly inFlight: number
  /** Events that the service's group had not settled; of services without a group: undefined. */
  readonly unsettled: number | undefined
}

/** What a run of sign-ups under kills came to. */
export interface SignUpReport {
  readonly seed: number
  readonly seconds: number
  readonly signUps: number
  readonly addresses: number
  readonly created: number
  readonly taken: number
  readonly attempts: number
  readonly unknowns: number
  readonly unavailable: number
  /** Repeats that got what an attempt without an answer had done. */
  readonly firstAnswers: number
  readonly readsAgain: number
  /** From the first attempt to the answer, in ms. */
  readonly ms: { readonly median: number; readonly p99: number; readonly max: number }
  readonly kills: readonly Kill[]
  readonly events: number
  readonly mails: number
  readonly repeatedMails: number
  /** What `docs/mail.md` allows for this many kills of mail. */
  readonly mostRepeatedMails: number
  /** Everything that is not as promised. */
  readonly wrong: readonly string[]
}

/** The services that a run kills. */
export const victims = ['gateway', 'user-command', 'uniq', 'user-query', 'mail'] as const

const mostLines = 40

/** A report for people. */
export function signUpText(report: SignUpReport): string {
  const { ms, wrong, kills } = report
  const killed = Map.groupBy(kills, ({ service }) => service)
  return [
    `sign-up with seed ${report.seed}: ${Math.round(report.seconds)} s`,
    `${report.signUps} sign-ups for ${report.addresses} addresses: ${report.created} created, ${report.taken} taken`,
    `${report.attempts} attempts: ${report.unknowns} without an answer, ${report.unavailable} times 503 or 504; ` +
      `${report.firstAnswers} repeats got the first answer, ${report.readsAgain} reads were repeated`,
    `until the answer: median ${ms.median} ms, p99 ${ms.p99} ms, longest ${ms.max} ms`,
    ...[...killed].map(([service, all]) => `killed ${service}: ${all.map(killText).join('; ')}`),
    `${report.events} events, ${report.mails} mails, ${report.repeatedMails} of them repeated (at most ${report.mostRepeatedMails})`,
    ...wrong.slice(0, mostLines),
    ...(wrong.length > mostLines ? [`… and ${wrong.length - mostLines} more`] : []),
    wrong.length === 0
      ? 'nothing lost, nothing twice, claims and view agree with the log'
      : `${wrong.length} wrong`,
  ].join('\n')
}

function killText({ settled, inFlight, unsettled }: Kill): string {
  return `after ${settled} with ${inFlight} requests under way${unsettled === undefined ? '' : ` and ${unsettled} events unsettled`}`
}

/** What a run has not shown: a service that was never killed, or was killed while it had nothing to do. */
export function missingKills(kills: readonly Kill[]): readonly string[] {
  const idle = kills.filter(({ inFlight, unsettled }) => (unsettled ?? inFlight) === 0)
  return [
    ...victims
      .filter((name) => !kills.some(({ service }) => service === name))
      .map((name) => `nothing proven: ${name} was never killed`),
    ...idle.map(
      ({ service, settled }) => `nothing proven: ${service} had nothing to do after ${settled} sign-ups`,
    ),
  ]
}
