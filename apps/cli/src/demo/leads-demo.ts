import { setTimeout as delay } from 'node:timers/promises'
import { exitCodes } from '../exit-codes.ts'
import { progressOn, table, type Terminal } from '../terminal.ts'
import { checkLeads, leadsCounts, type LeadsFinding } from './leads-check.ts'
import { leadsClients, type LeadsClients, type LeadsPlaces } from './leads-places.ts'
import { type BuyerCase, offerCases } from './offer-cases.ts'
import { sendOffers, tellBefore } from './send-offers.ts'

/** What the demo is told. */
export interface LeadsDemo extends LeadsPlaces {
  readonly count: number
  readonly concurrency: number
  readonly seed: string
  /** How long to wait for a buyer to be as expected, in ms. */
  readonly patienceMs: number
  readonly json: boolean
}

/** What a run has shown. Also the JSON that it prints. */
interface LeadsReport extends LeadsFinding {
  readonly seed: string
  readonly buyers: number
  /** Buyers whom the legacy system knew before. */
  readonly known: number
  readonly facts: number
  /** With those that came several times. */
  readonly sent: number
  readonly seconds: number
}

/**
 * Sends what happens to offers on real cars to a running system: out of order, with duplicates, while the legacy system
 * is slow and fails. Then compares leads, quotes and calls with a pure fold, and with the legacy system.
 *
 * @returns the exit code: `findings` when anything differs
 * @throws MillraceError when the system cannot be reached or does not let us look
 */
export async function leadsDemo(demo: LeadsDemo, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const { seed, count, concurrency, patienceMs } = demo
  const clients = leadsClients(demo)
  const cases = offerCases(seed, count, Date.now().toString(36))
  const facts = cases.reduce((sum, { history }) => sum + history.length, 0)
  const total = cases.reduce((sum, { arriving }) => sum + arriving.length, 0)
  terminal.err.write(`${count} buyers with ${facts} facts about their offers, seed ${seed}\n`)
  const from = performance.now()
  await tellBefore(cases, { clients, concurrency, signal, onSent: () => undefined })
  const sent = await withUnwellLegacy(clients, () => send(demo, clients, cases, total, terminal, signal))
  const progress = progressOn(terminal, 'buyers checked')
  const onLooked = (looked: number): void => progress.update(looked, count)
  const finding = await checkLeads(cases, { clients, concurrency, signal, patienceMs, onLooked }).finally(
    () => progress.end(),
  )
  if (signal.aborted) return exitCodes.interrupted
  const seconds = (performance.now() - from) / 1_000
  const known = cases.filter(({ before }) => before.length > 0).length
  print({ seed, buyers: count, known, facts, sent, seconds, ...finding }, demo.json, terminal)
  const good = finding.differences.length === 0 && finding.shadow.length === 0
  return good ? exitCodes.ok : exitCodes.findings
}

/** While something is done, each fifth answer of the legacy system fails, and all are slow; for a moment it is down. */
async function withUnwellLegacy<T>(clients: LeadsClients, act: () => Promise<T>): Promise<T> {
  const behave = (latencyMs: number, failureRate: number) =>
    clients.legacyAdmin.json('/admin/behaviour', { method: 'PUT', body: { latencyMs, failureRate } })
  await behave(5, 0.2)
  try {
    const acting = act()
    await Promise.race([acting, delay(300)])
    await behave(0, 1)
    await Promise.race([acting, delay(700)])
    await behave(5, 0.2)
    return await acting
  } finally {
    await behave(0, 0)
  }
}

async function send(
  { concurrency }: LeadsDemo,
  clients: LeadsClients,
  cases: readonly BuyerCase[],
  total: number,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const progress = progressOn(terminal, 'facts sent')
  const onSent = (sent: number): void => progress.update(sent, total)
  try {
    return await sendOffers(cases, { clients, concurrency, signal, onSent })
  } finally {
    progress.end()
  }
}

const mostDifferences = 20

function print(report: LeadsReport, json: boolean, terminal: Terminal): void {
  terminal.out.write(json ? `${JSON.stringify(report)}\n` : textOf(report))
  const all = [
    ...report.differences.map((one) => `differs: ${one}`),
    ...report.shadow.map((one) => `legacy differs: ${one}`),
  ]
  for (const one of all.slice(0, mostDifferences)) terminal.err.write(`${one}\n`)
  if (all.length > mostDifferences) terminal.err.write(`and ${all.length - mostDifferences} more\n`)
}

function textOf({ counts, buyers, known, facts, sent, seconds, differences, shadow }: LeadsReport): string {
  const rows = leadsCounts.map((name) => {
    const { expected, found } = counts[name]
    const differs = expected === found ? '' : '← differs'
    return [name, String(expected).padStart(8), String(found).padStart(8), differs]
  })
  const verdict =
    differences.length === 0 ? 'Everything agrees with the fold.' : `${differences.length} buyers differ.`
  const beside =
    shadow.length === 0
      ? 'The legacy system has the same leads for all of them.'
      : `The legacy system has other leads for ${shadow.length} of them.`
  return `
${table([['', 'expected', '   found', ''], ...rows])}
${buyers} buyers (${known} known to the legacy system before), ${facts} facts, ${sent} events sent, ${seconds.toFixed(1)} s
${verdict}
${beside}
`
}
