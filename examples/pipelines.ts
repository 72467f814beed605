// #region pipeline
import { topic } from '@millrace/event'
import {
  concatMap,
  dead,
  defineEffect,
  effect,
  emit,
  evolve,
  ofType,
  processor,
  state,
} from '@millrace/processor'
import { filter } from 'rxjs'
import { z } from 'zod'

const offers = topic('offers', {
  types: { OfferMade: z.object({ cents: z.int() }), OfferAccepted: z.object({ by: z.string() }) },
})
const invoices = topic('invoices', { types: { InvoiceDue: z.object({ cents: z.int(), to: z.string() }) } })

const tell = defineEffect('tell', {
  schema: z.object({ to: z.string() }),
  run: async ({ to }, { idempotencyKey }) => {
    await fetch(`https://mail.example/${to}`, {
      method: 'POST',
      headers: { 'idempotency-key': idempotencyKey },
    })
  },
})

interface Lead {
  readonly cents: number
  readonly accepted: boolean
}

export const leads = processor('leads', offers, {
  state: state({ initial: (): Lead => ({ cents: 0, accepted: false }) }),
  effects: [tell],
  pipeline: (lane) =>
    lane.pipe(
      ofType('OfferMade', 'OfferAccepted'), // others are done
      dead((event) => (event.type === 'OfferMade' && event.data.cents < 0 ? 'a negative offer' : undefined)),
      evolve((lead, event) =>
        event.type === 'OfferMade' ? { ...lead, cents: event.data.cents } : { ...lead, accepted: true },
      ),
      filter(({ before, state: { accepted } }) => accepted && !before.accepted),
      concatMap(async ({ event, state: { cents } }) => ({
        event,
        cents,
        to: await addressOf(event.subject),
      })),
      emit(invoices, ({ cents, to }) => ({ type: 'InvoiceDue', data: { cents, to } })),
      effect(tell, ({ to }) => ({ to })),
    ),
})
// #endregion

// #region windows
import { durableDebounce, join, tumblingWindow } from '@millrace/processor'
import { merge } from 'rxjs'

export const watch = processor('watch', offers, {
  pipeline: (lane) =>
    merge(
      lane.pipe(
        ofType('OfferMade'),
        tumblingWindow('day', 24 * 3_600_000),
        emit(invoices, ({ values }) => ({
          type: 'InvoiceDue',
          data: { cents: values.length, to: 'statistics' },
        })),
      ),
      lane.pipe(ofType('OfferMade'), durableDebounce('settled', 3_600_000)),
      lane.pipe(join('deal', 'OfferMade', 'OfferAccepted', { withinMs: 7 * 24 * 3_600_000 })),
    ),
})
// #endregion

// #region unmet
export const deals = processor('deals', offers, {
  state: state({ initial: () => ({ made: false }) }),
  onUnmet: { OfferAccepted: 'dead' },
  handle: (event, context) => {
    if (event.type === 'OfferMade') context.evolve({ made: true })
    else if (!context.state.made) context.defer('there is no offer')
  },
})
// #endregion

async function addressOf(key: string): Promise<string> {
  return Promise.resolve(`${key}@example.org`)
}

// Without a log and a store: a lane of one key, fed by hand.
import { newEvent, systemClock } from '@millrace/event'
import { createLane, Delivery, emptyRecord, systemTimers } from '@millrace/processor'

const settled = Promise.withResolvers<void>()
const lane = createLane(leads, {
  key: 'ada',
  record: emptyRecord,
  timers: systemTimers,
  clock: systemClock,
  hooks: {
    settled: ({ place, outcome, why, after, emits, effects }) => {
      console.log(
        place,
        outcome,
        why ?? '',
        after?.state ?? '',
        emits?.[0]?.event.data ?? '',
        effects?.length ?? 0,
      )
      if (place === 3) settled.resolve()
    },
    failed: (_, error) => settled.reject(error),
    ended: () => settled.reject(new Error('ended')),
  },
})
const drafts = [
  { type: 'OfferMade', data: { cents: 900 } },
  { type: 'OfferMade', data: { cents: -1 } },
  { type: 'OfferAccepted', data: { by: 'grace' } },
]
for (const [at, draft] of drafts.entries()) {
  const event = newEvent(offers, { ...draft, key: 'ada' })
  lane.feed(
    Delivery.ofEvent({ event, position: { topic: 'offers', partition: 0, id: `1-${at + 1}`, seq: at + 1 } }),
  )
}
await settled.promise
lane.close()

// Prints:
// 1 done  { cents: 900, accepted: false }  0
// 2 dead a negative offer   0
// 3 done  { cents: 900, accepted: true } { cents: 900, to: 'ada@example.org' } 1
