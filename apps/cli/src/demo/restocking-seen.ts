import { MillraceError } from '@millrace/event'
import { suggestions, supply } from '@millrace-app/restocking/topics'
import type { Tip } from '@millrace/log'
import type { RestockingRig } from './restocking-places.ts'
import type { Wanted } from './restocking-truth.ts'

/** Counts by name. */
export type Counts = Readonly<Record<string, number>>

/** Counts what comes onto the topic from a place on. */
export class EventCounter {
  readonly #rig: RestockingRig
  readonly #cursors: Map<number, string>
  readonly counts: Record<string, number> = {}

  constructor(rig: RestockingRig, tips: readonly Tip[]) {
    this.#rig = rig
    this.#cursors = new Map(tips.map(({ partition, id }) => [partition, id]))
  }

  /** Reads on to the end. */
  async catchUp(): Promise<Counts> {
    for (;;) {
      const found = await this.#rig.log.read(supply, this.#cursors, { limit: 1_000 })
      if (found.size === 0) return this.counts
      for (const [partition, events] of found) {
        for (const { event } of events) this.counts[event.type] = (this.counts[event.type] ?? 0) + 1
        const last = events.at(-1)
        if (last) this.#cursors.set(partition, last.position.id)
      }
    }
  }
}

/** Dead letters of both groups since a place, by reason. */
export async function deadByReason(
  { groups }: RestockingRig,
  since: { readonly supply: readonly Tip[]; readonly suggestions: readonly Tip[] },
): Promise<Counts> {
  const counts: Record<string, number> = {}
  for (const [topic, group, tips] of [
    [supply, 'restocking', since.supply],
    [suggestions, 'restocking-view', since.suggestions],
  ] as const)
    for (const { partition, seq } of tips) {
      let after: string | undefined
      do {
        const at = { topic, group, partition }
        const page = await groups.deadItems(at, { limit: 100, ...(after === undefined ? {} : { after }) })
        for (const { letter, seq: place } of page.items)
          if (letter && place > seq) counts[letter.reason] = (counts[letter.reason] ?? 0) + 1
        after = page.next
      } while (after !== undefined)
    }
  return counts
}

interface Listed {
  readonly id: string
  readonly kind: string
  readonly status: string
  readonly proposedDueOn?: string
}

/** Suggestions as planners see them, all pages. */
export async function listed({ restocking }: RestockingRig): Promise<readonly Listed[]> {
  const all: Listed[] = []
  for (let after: string | undefined; ;) {
    const { body } = await restocking.json('/suggestions', { query: { limit: '2000', after } })
    const page = body as { readonly suggestions: readonly Listed[]; readonly next?: string }
    all.push(...page.suggestions)
    if (page.next === undefined) return all
    after = page.next
  }
}

const ended = new Set(['completed', 'withdrawn', 'dismissed'])

/** What of the list is other than wanted, and how many of each kind there are. */
export function compared(
  wanted: Wanted,
  all: readonly Listed[],
): { readonly differences: readonly string[]; readonly kinds: Counts } {
  const found = new Map(all.map((one) => [one.id, one]))
  const differences: string[] = []
  const kinds: Record<string, number> = {}
  for (const [id, { proposedDueOn }] of wanted) {
    const one = found.get(id)
    if (!one || one.status === 'withdrawn') differences.push(`${id} is not suggested`)
    else if (one.proposedDueOn !== proposedDueOn)
      differences.push(`${id} suggests ${one.proposedDueOn}, not ${proposedDueOn}`)
  }
  for (const { id, kind, status } of all) {
    if (ended.has(status)) continue
    kinds[kind] = (kinds[kind] ?? 0) + 1
    if (!wanted.has(id)) differences.push(`${id} is ${status}, and nothing is to be suggested`)
  }
  return { differences, kinds }
}

/** Mails that lie in the inbox, to suppliers: how many, and how many different ones. */
export async function supplierMails(inboxUrl: string): Promise<ReadonlyMap<string, number>> {
  const byMessage = new Map<string, number>()
  for (let after: string | null = ''; after !== null;) {
    const query = new URLSearchParams({ limit: '1000', ...(after === '' ? {} : { after }) })
    const answer = await fetch(`${inboxUrl}/api/mails?${query.toString()}`)
    if (!answer.ok) throw new MillraceError('service.failed', `The inbox answered ${answer.status}`)
    const page = (await answer.json()) as {
      readonly mails: readonly { to: readonly string[]; messageId: string }[]
      readonly next: string | null
    }
    for (const { to, messageId } of page.mails)
      if (to.some((one) => one.includes('@supplier-')))
        byMessage.set(messageId, (byMessage.get(messageId) ?? 0) + 1)
    after = page.next
  }
  return byMessage
}

/** Who has seen first that the orders of clicks were changed: the answer of their owner, or the echo. */
export async function firstSeenBy({ central }: RestockingRig, ids: readonly string[]): Promise<Counts> {
  const rows = await central.read((queries) =>
    queries.rows<{ by: string; count: number }>(
      `SELECT coalesce(completed_by, status) AS by, count(*)::integer AS count FROM restocking.decision
       WHERE suggestion_id = ANY($1) GROUP BY 1`,
      [ids],
    ),
  )
  return Object.fromEntries(rows.map(({ by, count }) => [by, count]))
}
