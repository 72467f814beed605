import type { Queries } from '@millrace/postgres'
import { z } from 'zod'

/** A fact as the offer system tells it to the old system. */
export const legacyFact = z.strictObject({
  customer: z.string().min(1).max(100),
  what: z.enum(['made', 'accepted', 'rejected', 'withdrawn', 'acceptance-withdrawn']),
  bid: z.string().min(1).max(100),
  car: z.string().min(1).max(200),
  price: z.int().min(0).optional(),
  /** Number of the fact among those of its offer; without it, it is taken for the next one. */
  revision: z.int().min(1).optional(),
  /** When it happened, in ISO 8601. */
  at: z.iso.datetime(),
  /** Whether the old system quotes, contacts and calls because of it, or leaves that to another one. */
  act: z.boolean().default(true),
})

export type LegacyFact = z.output<typeof legacyFact>

interface Bid {
  readonly revision: number
  readonly price: number
  readonly accepted_in: number
  readonly quoted: boolean
  readonly called_for: number
}

/**
 * Takes a fact in, the old way: the one with the highest number says how the offer stands, whatever came before it. A
 * number that was there before, or is below, changes nothing of that.
 */
export async function takeFact(queries: Queries, fact: LegacyFact): Promise<'taken' | 'old'> {
  const { customer, bid, car, at, act } = fact
  await queries.rows(
    `INSERT INTO customer (name, as_of) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET as_of = greatest(customer.as_of, excluded.as_of)`,
    [customer, at],
  )
  const [before] = await queries.rows<Bid>('SELECT * FROM bid WHERE customer = $1 AND id = $2', [
    customer,
    bid,
  ])
  const revision = fact.revision ?? (before?.revision ?? 0) + 1
  if (before && revision <= before.revision) {
    if (fact.price !== undefined && before.price === 0)
      await queries.rows('UPDATE bid SET price = $3 WHERE customer = $1 AND id = $2', [
        customer,
        bid,
        fact.price,
      ])
    return 'old'
  }
  const status = statuses[fact.what]
  const acceptedIn = status === 'accepted' ? revision : (before?.accepted_in ?? 0)
  const calledFor = act ? (status === 'accepted' ? revision : 0) : (before?.called_for ?? 0)
  await queries.rows(
    `INSERT INTO bid (customer, id, car, price, status, revision, accepted_in, quoted, called_for)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (customer, id) DO UPDATE SET car = excluded.car, price = excluded.price, status = excluded.status,
       revision = excluded.revision, accepted_in = excluded.accepted_in, quoted = excluded.quoted,
       called_for = excluded.called_for`,
    [
      ...[customer, bid, car, fact.price ?? before?.price ?? 0, status, revision, acceptedIn],
      ...[act || (before?.quoted ?? false), calledFor],
    ],
  )
  if (act) await queries.rows('UPDATE customer SET contacted = true WHERE name = $1', [customer])
  return 'taken'
}

const statuses = {
  made: 'open',
  accepted: 'accepted',
  rejected: 'closed',
  withdrawn: 'closed',
  'acceptance-withdrawn': 'open',
} as const satisfies Record<LegacyFact['what'], string>
