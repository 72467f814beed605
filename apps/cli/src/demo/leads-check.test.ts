import { foldFacts, leadsOf } from '@millrace-app/leads'
import { serviceClient } from '@millrace/hono'
import { describe, expect, it } from 'vitest'
import { checkLeads } from './leads-check.ts'
import { type BuyerCase, offerCases } from './offer-cases.ts'

/** What a system says of a buyer. */
interface Said {
  leads: { low: boolean; high: readonly string[]; leftOut: readonly unknown[] }
  row: { buyer: string; low: boolean; high: readonly string[]; quotes: number; contacted: boolean }
  tasks: { state: string }[]
  /** Undefined: it was told nothing of the buyer yet. */
  legacy: { lowLead: boolean; highLeads: readonly string[] } | undefined
}

const cases = offerCases('checked', 12, 'm')

/** What a system says that has folded the facts of a buyer as they happened. */
function right({ buyer, before, history }: BuyerCase): Said {
  const folded = foldFacts(history, foldFacts(before).buyer)
  const { low, high } = leadsOf(folded.buyer)
  const calls = folded.tasks.filter(({ kind }) => kind === 'call')
  const off = folded.tasks.flatMap((task) =>
    task.kind === 'cancel-call' ? [`${task.offer}.${task.acceptance}`] : [],
  )
  return {
    leads: { low, high, leftOut: [] },
    row: {
      ...{ buyer, low, high },
      quotes: folded.tasks.filter(({ kind }) => kind === 'quote').length,
      contacted: folded.tasks.some(({ kind }) => kind === 'contact'),
    },
    tasks: calls.flatMap((task) =>
      task.kind === 'call'
        ? [{ state: off.includes(`${task.offer}.${task.acceptance}`) ? 'cancelled' : 'open' }]
        : [],
    ),
    legacy: { lowLead: low, highLeads: high },
  }
}

/** Checks a system that says the right things, but for what is planted about one buyer. */
async function check(planted: (said: Said) => void = () => undefined, of = 0) {
  const said = new Map(cases.map((one) => [one.buyer, right(one)]))
  const victim = said.get(cases[of]?.buyer ?? '')
  if (victim) planted(victim)
  const fetch = (request: Request): Response => {
    const { pathname, searchParams } = new URL(request.url)
    const [, kind, buyer = ''] = pathname.split('/')
    if (kind === 'customers') {
      const { legacy } = said.get(buyer) ?? {}
      if (legacy) return Response.json(legacy)
      const problem = {
        status: 404,
        code: 'customer.unknown',
        title: 'The old system knows no such customer',
      }
      return Response.json(problem, { status: 404, headers: { 'content-type': 'application/problem+json' } })
    }
    if (kind === 'tasks') return Response.json({ tasks: said.get(searchParams.get('buyer') ?? '')?.tasks })
    if (buyer !== '') return Response.json(said.get(buyer)?.leads)
    const rows = [...said.values()].map(({ row }) => row).toSorted((a, b) => (a.buyer < b.buyer ? -1 : 1))
    return Response.json({ leads: rows.filter((row) => row.buyer > (searchParams.get('cursor') ?? '')) })
  }
  const client = serviceClient({ name: 'system', fetch })
  const clients = { intake: client, leads: client, legacy: client, legacyAdmin: client }
  const looked: number[] = []
  const finding = await checkLeads(cases, {
    clients,
    ...{ concurrency: 4, patienceMs: 0, signal: new AbortController().signal },
    onLooked: (buyers) => looked.push(buyers),
  })
  expect(looked.at(-1)).toBe(cases.length)
  return finding
}

/** A buyer about whom there is enough to be wrong. */
const busy = cases.findIndex((one) => {
  const { tasks, row } = right(one)
  return tasks.some(({ state }) => state === 'open') && row.high.length > 0 && row.quotes > 0
})

describe('the check of leads', () => {
  it('finds nothing where everything is as the fold has it', async () => {
    const { differences, shadow, counts } = await check()
    expect([differences, shadow]).toEqual([[], []])
    expect(counts.quotes.expected).toBeGreaterThan(0)
    for (const { expected, found } of Object.values(counts)) expect(found).toBe(expected)
  })

  it.each<[string, (said: Said) => void]>([
    ['a quote too many', (said) => (said.row = { ...said.row, quotes: said.row.quotes + 1 })],
    ['a buyer whom nobody has contacted', (said) => (said.row = { ...said.row, contacted: false })],
    ['a buyer who is not listed', (said) => (said.row = { ...said.row, buyer: 'a' })],
    ['a list that is behind', (said) => (said.row = { ...said.row, high: [] })],
    ['a call that was lost', (said) => (said.tasks = said.tasks.slice(1))],
    ['a call that was called off', (said) => said.tasks.forEach((one) => (one.state = 'cancelled'))],
    ['an event that waits for another', (said) => (said.leads = { ...said.leads, leftOut: [{}] })],
  ])('planted: %s', async (_, planted) => {
    const { differences, shadow } = await check(planted, busy)
    expect(differences).toEqual([expect.stringMatching(new RegExp(`^${cases[busy]?.buyer}: .*, not `))])
    expect(shadow).toEqual([])
  })

  it('planted: leads that are others than in the fold differ from the fold and from the legacy system', async () => {
    const { differences, shadow } = await check((said) => {
      said.leads = { ...said.leads, high: [] }
      said.row = { ...said.row, high: [] }
    }, busy)
    expect([differences.length, shadow.length]).toEqual([1, 1])
  })

  it('planted: a buyer of whom the legacy system was told nothing yet is told, and no end of the check', async () => {
    const { differences, shadow } = await check((said) => (said.legacy = undefined), busy)
    expect(differences).toEqual([])
    expect(shadow).toEqual([expect.stringContaining('in the legacy system nothing of the buyer')])
  })

  it('planted: other leads in the legacy system are no difference of ours, and are told', async () => {
    const { differences, shadow } = await check(
      (said) => (said.legacy = { lowLead: false, highLeads: [] }),
      busy,
    )
    expect(differences).toEqual([])
    expect(shadow).toEqual([expect.stringContaining('in the legacy system no lead')])
  })
})
