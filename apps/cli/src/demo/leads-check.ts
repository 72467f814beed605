import { MillraceError } from '@millrace/event'
import { foldFacts, leadsOf } from '@millrace-app/leads'
import { setTimeout as delay } from 'node:timers/promises'
import { type LeadsClients, inParallel, patiently } from './leads-places.ts'
import type { BuyerCase } from './offer-cases.ts'

/** What was expected and what is there, in all. */
export interface LeadsFinding {
  readonly counts: Readonly<Record<LeadsCount, { readonly expected: number; readonly found: number }>>
  readonly differences: readonly string[]
  /** Buyers whose leads are others in the legacy system. */
  readonly shadow: readonly string[]
}

/** What is counted of all buyers. */
export const leadsCounts = [
  'low leads',
  'high leads',
  'quotes',
  'contacts',
  'open calls',
  'cancelled calls',
] as const
type LeadsCount = (typeof leadsCounts)[number]

type Facts = Readonly<Record<LeadsCount, number>>

interface LeadRow {
  readonly buyer: string
  readonly low: boolean
  readonly high: readonly string[]
  readonly quotes: number
  readonly contacted: boolean
}

/** How looking is done. */
export interface Looking {
  readonly clients: LeadsClients
  readonly concurrency: number
  readonly signal: AbortSignal
  /** How long to wait for a buyer to be as expected, in ms. */
  readonly patienceMs: number
  readonly onLooked: (buyers: number) => void
}

/** Compares what the system says of each buyer with a pure fold of what was sent, and with the legacy system. */
export async function checkLeads(cases: readonly BuyerCase[], looking: Looking): Promise<LeadsFinding> {
  const differences: string[] = []
  const shadow: string[] = []
  const sums = { expected: noFacts(), found: noFacts() }
  let looked = 0
  await inParallel(cases, looking.concurrency, async (one) => {
    if (looking.signal.aborted) return
    const expected = expectedOf(one)
    const found = await settledAt(looking, () => seenOf(looking, one.buyer), expected)
    if (found.text !== expected.text) differences.push(`${one.buyer}: ${found.text}, not ${expected.text}`)
    add(sums.expected, expected.facts)
    add(sums.found, found.facts)
    const legacy = await settledAt(looking, () => legacyOf(looking, one.buyer), { text: expected.leads })
    if (legacy.text !== found.leads)
      shadow.push(`${one.buyer}: ${found.leads}, in the legacy system ${legacy.text}`)
    looking.onLooked((looked += 1))
  })
  const counts = Object.fromEntries(
    leadsCounts.map((name) => [name, { expected: sums.expected[name], found: sums.found[name] }]),
  ) as LeadsFinding['counts']
  return { counts, differences, shadow }
}

interface Seen {
  readonly facts: Facts
  /** Leads alone, for the comparison with the legacy system. */
  readonly leads: string
  readonly text: string
}

function expectedOf({ before, history }: BuyerCase): Seen {
  const { buyer, tasks } = foldFacts(history, foldFacts(before).buyer)
  const calls = new Map<string, boolean>()
  for (const task of tasks) {
    if (task.kind === 'call') calls.set(`${task.offer}.${task.acceptance}`, true)
    // One that the legacy system has made is called off there.
    else if (task.kind === 'cancel-call' && calls.has(`${task.offer}.${task.acceptance}`))
      calls.set(`${task.offer}.${task.acceptance}`, false)
  }
  const open = [...calls.values()].filter(Boolean).length
  return seen(leadsOf(buyer), {
    quotes: tasks.filter(({ kind }) => kind === 'quote').length,
    contacts: tasks.filter(({ kind }) => kind === 'contact').length,
    'open calls': open,
    'cancelled calls': calls.size - open,
  })
}

/** What the system says: the leads of the log, quotes and calls of the lists. */
async function seenOf({ clients, signal }: Looking, buyer: string): Promise<Seen> {
  const get = async <T>(path: string, query: Record<string, string>): Promise<T> =>
    (await patiently(() => clients.leads.json(path, { query }), signal)).body as T
  const { low, high, leftOut } = await get<{
    low: boolean
    high: string[]
    leftOut: readonly unknown[]
  }>(`/leads/${buyer}`, {})
  // A list goes on behind its cursor: the name without its last letter is before this buyer, and all else is after him.
  const before = `${buyer.slice(0, -1)}${String.fromCharCode(buyer.charCodeAt(buyer.length - 1) - 1)}~`
  const { leads } = await get<{ leads: readonly LeadRow[] }>('/leads', { cursor: before, limit: '1' })
  const row = leads.find((one) => one.buyer === buyer)
  const { tasks } = await get<{ tasks: readonly { state: string }[] }>('/tasks', { buyer, limit: '500' })
  const result = seen(
    { low, high },
    {
      quotes: row?.quotes ?? 0,
      contacts: row?.contacted === true ? 1 : 0,
      'open calls': tasks.filter(({ state }) => state === 'open').length,
      'cancelled calls': tasks.filter(({ state }) => state === 'cancelled').length,
    },
  )
  const listed = row ? leadsText(row) : result.leads
  const late = leftOut.length > 0 ? `, ${leftOut.length} events wait` : ''
  return {
    ...result,
    text: `${result.text}${late}${listed === result.leads ? '' : `, listed as ${listed}`}`,
  }
}

async function legacyOf({ clients, signal }: Looking, buyer: string): Promise<{ readonly text: string }> {
  let body: unknown
  try {
    body = (await patiently(() => clients.legacy.json(`/customers/${buyer}/leads`), signal)).body
  } catch (error) {
    // It is told of everything, behind all others.
    if (error instanceof MillraceError && error.code === 'customer.unknown')
      return { text: 'nothing of the buyer' }
    throw error
  }
  const { lowLead: low, highLeads: high } = body as { lowLead: boolean; highLeads: string[] }
  return { text: leadsText({ low, high }) }
}

/** Looks again until it is as expected, or the patience is at its end. */
async function settledAt<T extends { readonly text: string }>(
  { patienceMs, signal }: Looking,
  look: () => Promise<T>,
  expected: { readonly text: string },
): Promise<T> {
  for (const until = performance.now() + patienceMs; ; await delay(100)) {
    const found = await look()
    if (found.text === expected.text || performance.now() > until || signal.aborted) return found
  }
}

function seen(
  leads: { readonly low: boolean; readonly high: readonly string[] },
  rest: Omit<Facts, 'low leads' | 'high leads'>,
): Seen {
  const facts = { 'low leads': leads.low ? 1 : 0, 'high leads': leads.high.length, ...rest }
  const counted = leadsCounts.slice(2).map((name) => `${facts[name]} ${name}`)
  return { facts, leads: leadsText(leads), text: [leadsText(leads), ...counted].join(', ') }
}

function leadsText({ low, high }: { readonly low: boolean; readonly high: readonly string[] }): string {
  return high.length > 0 ? `high for ${high.join(' and ')}` : low ? 'low' : 'no lead'
}

function noFacts(): Record<LeadsCount, number> {
  return Object.fromEntries(leadsCounts.map((name) => [name, 0])) as Record<LeadsCount, number>
}

function add(sums: Record<LeadsCount, number>, facts: Facts): void {
  for (const name of leadsCounts) sums[name] += facts[name]
}
