import { MillraceError } from '@millrace/event'
import { exitCodes } from '../exit-codes.ts'
import { progressOn, type Terminal } from '../terminal.ts'
import { assertRoomFor, checkInbox, type InboxFinding } from './inbox-check.ts'
import { judge } from './judge.ts'
import { checkLog } from './log-check.ts'
import { durations, printReport, type Report } from './report.ts'
import { type Outcome, sendSignUps } from './send-sign-ups.ts'
import { type SignUpCase, signUpCases } from './sign-up-cases.ts'

/** What the demo is told. */
export interface SignUpDemo {
  readonly count: number
  readonly concurrency: number
  readonly seed: string
  readonly baseUrl: string
  /** Undefined: mails are not looked at. */
  readonly inboxUrl: string | undefined
  /** To read the log, and to sign up as often as one likes. */
  readonly intakeToken: string
  /** How long to wait for a mail while none comes, in ms. */
  readonly patienceMs: number
  readonly json: boolean
}

/**
 * Signs many people up at a running system, and compares the answers with the log and the mails.
 *
 * @returns the exit code: `findings` when anything differs
 * @throws MillraceError when the system cannot be reached or does not let us look
 */
export async function signUpDemo(demo: SignUpDemo, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { cases, passwordMark } = signUpCases(demo.seed, demo.count)
  terminal.err.write(`${demo.count} sign-ups at ${demo.baseUrl}, seed ${demo.seed}\n`)
  await assertReachable(demo, signal)
  if (demo.inboxUrl !== undefined) await assertRoomFor(demo.count, { inboxUrl: demo.inboxUrl, signal })
  const from = performance.now()
  const outcomes = await send(demo, cases, terminal, signal)
  const seconds = (performance.now() - from) / 1_000
  if (signal.aborted) return exitCodes.interrupted
  const judgement = judge(outcomes)
  const source = { baseUrl: demo.baseUrl, token: demo.intakeToken, signal }
  const log = await checkLog(source, judgement, passwordMark)
  const inbox = await lookForMails(demo, judgement.addresses, terminal, signal)
  const report: Report = {
    seed: demo.seed,
    sent: outcomes.length,
    seconds,
    repeats: outcomes.reduce((sum, { tries }) => sum + tries - 1, 0),
    ms: durations(outcomes.map(({ ms }) => ms)),
    answers: judgement.rows,
    addresses: judgement.addresses.size,
    log,
    ...(inbox ? { inbox } : {}),
    differences: [...judgement.differences, ...log.differences, ...(inbox?.differences ?? [])],
  }
  printReport(report, demo.json, terminal)
  return report.differences.length === 0 ? exitCodes.ok : exitCodes.findings
}

async function assertReachable({ baseUrl }: SignUpDemo, signal: AbortSignal): Promise<void> {
  try {
    const answer = await fetch(`${baseUrl}/openapi.json`, { signal })
    await answer.body?.cancel()
    if (answer.ok) return
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
  }
  throw new MillraceError(
    'service.unavailable',
    `There is no gateway at ${baseUrl}: start the system by npm start, or set --base-url`,
  )
}

async function send(
  demo: SignUpDemo,
  cases: readonly SignUpCase[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const progress = progressOn(terminal, 'signed up')
  const { baseUrl, concurrency, intakeToken: token } = demo
  const onOutcome = (done: number): void => progress.update(done, cases.length)
  try {
    return await sendSignUps(cases, { baseUrl, concurrency, token, signal, onOutcome })
  } finally {
    progress.end()
  }
}

async function lookForMails(
  { inboxUrl, patienceMs }: SignUpDemo,
  addresses: ReadonlySet<string>,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<InboxFinding | undefined> {
  if (inboxUrl === undefined) return undefined
  const progress = progressOn(terminal, 'mailed')
  const onMailed = (mailed: number): void => progress.update(mailed, addresses.size)
  try {
    return await checkInbox({ inboxUrl, addresses, patienceMs, signal, onMailed })
  } finally {
    progress.end()
  }
}
