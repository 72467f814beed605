import type { ApiInfo, Operation } from '@millrace/hono'
import { z } from 'zod'
import type { OfferAction } from './offers-in/change-offer.ts'
import { leadsAnswer } from './leads-out/leads-answer.ts'

const away = ['log.unavailable', 'append.unknown', 'service.busy'] as const
const position = z.string().meta({
  description: 'Place of the event on the log; a read with `after` waits for it',
  examples: ['offers/3/1700000000000-42'],
})
const written = z.object({
  offer: z.string(),
  version: z.int().meta({ description: 'Facts of the offer so far; also its ETag' }),
  position,
  correlationId: z.string(),
})
const next = z.string().nullable().meta({ description: '`cursor` of the next part; null: there is none' })
const offersIn = { tags: ['Offers'], secured: true } as const
const out = { tags: ['Leads'], secured: true } as const
const taskOut = { tags: ['Tasks'], secured: true } as const

const api = {
  title: 'Millrace leads',
  version: '0.1.0',
  description:
    'Offers on cars in, sales leads and call tasks out. Errors are problem details (RFC 9457) with a stable `code`. ' +
    'Repeat a write with the same `Idempotency-Key` when no answer came: nothing happens twice.',
} satisfies ApiInfo

const making = {
  summary: 'Makes an offer on a car',
  ...offersIn,
  idempotent: true,
  answers: { 201: { description: 'On the log; `ETag` has the version of the offer', schema: written } },
  problems: ['request.invalid', 'request.unauthorized', 'append.fingerprint', ...away],
} as const satisfies Operation

const changes: Readonly<Record<OfferAction, string>> = {
  accept: 'The seller accepts an offer',
  reject: 'The seller rejects an offer, also one that he has accepted',
  withdraw: 'The buyer withdraws an offer',
  'withdraw-acceptance': 'The seller takes his acceptance back',
}

const changing = (action: OfferAction) =>
  ({
    summary: changes[action],
    description:
      'Numbered by the log: it is the next fact of the offer. `If-Match`, or `{"expectedVersion": 1}` as the body, ' +
      'demands the version that the caller has seen.',
    ...offersIn,
    idempotent: true,
    answers: { 200: { description: 'On the log', schema: written } },
    problems: [
      'request.invalid',
      'request.unauthorized',
      'offer.unknown',
      'offer.standing',
      'append.version',
      'append.fingerprint',
      ...away,
    ],
  }) as const satisfies Operation

const reading = {
  summary: 'The leads of a buyer, now or at any moment, with the events that led there',
  ...out,
  answers: { 200: { description: 'His leads', schema: leadsAnswer } },
  problems: ['position.invalid', 'request.unauthorized', 'view.behind', 'log.unavailable'],
} as const satisfies Operation

const lead = z.object({
  buyer: z.string(),
  low: z.boolean(),
  high: z.array(z.string()),
  open: z.int(),
  quotes: z.int(),
  contacted: z.boolean(),
})

const listing = {
  summary: 'Buyers with their leads, by name',
  ...out,
  answers: { 200: { description: 'A part of the list', schema: z.object({ leads: z.array(lead), next }) } },
  problems: ['request.invalid', 'request.unauthorized', 'view.behind'],
} as const satisfies Operation

const task = z.object({
  id: z.string(),
  buyer: z.string(),
  offer: z.string(),
  car: z.string(),
  acceptance: z.int().meta({ description: 'Number of the fact by which the offer was accepted' }),
  state: z.enum(['open', 'done', 'cancelled']),
  openedAt: z.string(),
  changedAt: z.string(),
})

const listingTasks = {
  summary: 'Calls that are to be made, were made, or were called off',
  ...taskOut,
  answers: { 200: { description: 'A part of the list', schema: z.object({ tasks: z.array(task), next }) } },
  problems: ['request.invalid', 'request.unauthorized', 'view.behind'],
} as const satisfies Operation

const doing = {
  summary: 'Marks a call as made',
  description: 'Saying so again is harmless.',
  ...taskOut,
  answers: {
    200: { description: 'On the log of sales', schema: z.object({ task: z.string(), position }) },
  },
  problems: ['request.unauthorized', 'task.unknown', 'task.closed', ...away],
} as const satisfies Operation

/** What the HTTP interface says of itself. */
export const about = { api, making, changing, reading, listing, listingTasks, doing } as const
