import type { Queries } from '@millrace/postgres'
import { z } from 'zod'

const bid = z.object({
  id: z.string(),
  car: z.string(),
  price: z.int(),
  status: z.enum(['open', 'accepted', 'closed']),
  revision: z.int(),
  acceptedIn: z.int(),
  quoted: z.boolean(),
  calledFor: z.int(),
})

/** What the old system answers of a customer. */
export const legacyLeads = z.object({
  customer: z.string(),
  /** The latest fact that is in here, by its own time. */
  asOf: z.string(),
  lowLead: z.boolean(),
  highLeads: z.array(z.string()),
  contacted: z.boolean(),
  bids: z.array(bid),
})

export type LegacyLeads = z.output<typeof legacyLeads>

interface StoredBid {
  readonly id: string
  readonly car: string
  readonly price: number
  readonly status: 'open' | 'accepted' | 'closed'
  readonly revision: number
  readonly accepted_in: number
  readonly quoted: boolean
  readonly called_for: number
}

/** What the old system knows of a customer; undefined: nothing. */
export async function leadsOfCustomer(queries: Queries, name: string): Promise<LegacyLeads | undefined> {
  const [customer] = await queries.rows<{ contacted: boolean; as_of: Date }>(
    'SELECT contacted, as_of FROM customer WHERE name = $1',
    [name],
  )
  if (!customer) return undefined
  const bids = await queries.rows<StoredBid>('SELECT * FROM bid WHERE customer = $1 ORDER BY id', [name])
  const cars = bids.filter(({ status }) => status === 'accepted').map(({ car }) => car)
  const highLeads = [...new Set(cars)].toSorted()
  return {
    customer: name,
    asOf: customer.as_of.toISOString(),
    lowLead: highLeads.length === 0 && bids.some(({ status }) => status === 'open'),
    highLeads,
    contacted: customer.contacted,
    bids: bids.map(({ accepted_in: acceptedIn, called_for: calledFor, ...row }) => ({
      ...{ id: row.id, car: row.car, price: row.price, status: row.status, revision: row.revision },
      ...{ acceptedIn, quoted: row.quoted, calledFor },
    })),
  }
}
