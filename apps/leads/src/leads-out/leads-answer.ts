import { type EventLog, formatPosition, type Position, recordedMsOf } from '@millrace/log'
import { type GroupStore, stateAt } from '@millrace/processor'
import { MillraceError, partitionOfKey } from '@millrace/event'
import { z } from 'zod'
import { type Buyer, leadsOf, openOffers } from '../domain/buyer.ts'
import type { LeadsProcessor } from '../leads-processor.ts'
import { offers } from '../offers-topic.ts'

/** What answering needs. */
export interface LeadsReader {
  readonly processor: LeadsProcessor
  readonly log: Pick<EventLog, 'readKey'>
  readonly store: GroupStore
  /** What was known of a buyer of whom there is no event. */
  readonly before?: (buyer: string) => Promise<Buyer | undefined>
}

/** When leads are asked for; neither: now. */
export interface Moment {
  readonly time?: string | undefined
  readonly position?: Position | undefined
}

/** What an answer names of the events that led there, at most: the latest ones. */
const mostNamed = 500

/** A buyer's leads at a moment. */
export const leadsAnswer = z.object({
  buyer: z.string(),
  low: z.boolean().meta({ description: 'An open offer, and none that is accepted' }),
  high: z.array(z.string()).meta({ description: 'Cars whose offer stands accepted' }),
  open: z.int().meta({ description: 'Offers that wait for an answer' }),
  offers: z.array(
    z.object({
      offer: z.string(),
      car: z.string(),
      price: z.int(),
      standing: z.enum(['open', 'accepted', 'closed']),
      version: z.int().meta({ description: 'Facts of the offer so far; also its ETag' }),
    }),
  ),
  contacted: z.boolean(),
  migrated: z
    .string()
    .nullable()
    .meta({ description: 'Taken over from the legacy system, which had everything up to then' }),
  position: z.string().nullable().meta({ description: 'The last event that is in here' }),
  events: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      offer: z.string().optional(),
      car: z.string().optional(),
      offerSeq: z.int().optional(),
      time: z.string(),
      position: z.string(),
    }),
  ),
  leftOut: z
    .array(z.object({ position: z.string(), why: z.string() }))
    .meta({ description: 'Events up to then that wait for others, for a retry or for an operator' }),
})

export type LeadsAnswer = z.output<typeof leadsAnswer>

/**
 * The leads of a buyer as they were: the fold of his events up to then, and which those were.
 *
 * @throws MillraceError `position.invalid`; those of reading
 */
export async function leadsAt(reader: LeadsReader, buyer: string, moment: Moment): Promise<LeadsAnswer> {
  const { processor, log, store } = reader
  const { position, time } = moment
  const {
    state: folded,
    position: last,
    leftOut,
  } = await stateAt(processor, {
    log,
    store,
    key: buyer,
    ...(position ? { position } : {}),
    ...(time === undefined ? {} : { time }),
  })
  // Without an event nobody has taken him over yet.
  const early = last === undefined && leftOut.length === 0 && position === undefined && time === undefined
  const state = (early ? await reader.before?.(buyer) : undefined) ?? folded
  const untilMs = time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time)
  const within = (at: Position) =>
    at.seq <= (position?.seq ?? Number.POSITIVE_INFINITY) && recordedMsOf(at.id) <= untilMs
  const events = (await latestEvents(log, buyer)).filter((one) => within(one.position))
  const out = new Map(leftOut.map(({ seq, why }) => [seq, why]))
  return {
    buyer,
    ...leadsOf(state),
    high: [...leadsOf(state).high],
    open: openOffers(state),
    offers: Object.entries(state.offers).map(([offer, { car, price, standing, seq }]) => ({
      ...{ offer, car, price, standing },
      version: seq,
    })),
    contacted: state.contacted,
    migrated: state.migrated ?? null,
    position: last === undefined ? null : formatPosition(last),
    events: events
      .filter((one) => !out.has(one.position.seq))
      .map(({ event, position: at }) => ({
        id: event.id,
        type: event.type,
        ...named(event.data),
        time: event.time,
        position: formatPosition(at),
      })),
    leftOut: leftOut.flatMap(({ seq, why }) => {
      const found = events.find((one) => one.position.seq === seq)
      return found ? [{ position: formatPosition(found.position), why }] : []
    }),
  }
}

/** A position of the offers topic at which a buyer may be asked for. @throws MillraceError `position.invalid` */
export function assertPositionOf(buyer: string, position: Position): void {
  if (position.topic === offers.name && position.partition === partitionOfKey(offers, buyer)) return
  throw new MillraceError('position.invalid', `The position is none of the events of this buyer's partition`)
}

const ofOffer = z.object({ offer: z.string(), car: z.string(), offerSeq: z.int().optional() }).partial()

function named(data: unknown): z.output<typeof ofOffer> {
  const read = ofOffer.safeParse(data)
  return read.success ? read.data : {}
}

async function latestEvents(log: Pick<EventLog, 'readKey'>, buyer: string) {
  const { version } = await log.readKey(offers, buyer, { limit: 1 })
  return (
    await log.readKey(offers, buyer, { afterVersion: Math.max(0, version - mostNamed), limit: mostNamed })
  ).events
}
