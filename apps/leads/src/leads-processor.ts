import {
  defineEffect,
  type HandlerContext,
  type OnUnmet,
  type Processor,
  processor,
  state,
} from '@millrace/processor'
import { z } from 'zod'
import { type Buyer, leadsOf, newBuyer, openOffers, sameLeads, withFact } from './domain/buyer.ts'
import { judgeFact } from './domain/judge-fact.ts'
import type { FactType, OfferFact } from './domain/offer-fact.ts'
import { type SalesTask, settleBuyer } from './domain/settle-buyer.ts'
import { comparisonWith, firstTouchOf } from './legacy/first-touch.ts'
import type { LegacySystem } from './legacy/legacy-system.ts'
import { type OfferEvent, offers } from './offers-topic.ts'
import type { SalesDesk } from './sales-desk.ts'
import { sales } from './sales-topic.ts'

/** What {@link leadsProcessor} needs. */
export interface LeadsProcessorOptions {
  /** Who carries out what is to be done. */
  readonly desk: SalesDesk
  /** What becomes of a fact whose predecessor is missing, by type. Default: it waits. */
  readonly onUnmet?: { readonly [Type in FactType]?: OnUnmet }
  /** Where buyers are taken over from with their first event, and what leads are compared with. Default: nowhere. */
  readonly legacy?: LegacySystem
  /** Whose effects are carried out before anybody is promoted or demoted. Default `all`. */
  readonly initially?: 'none' | 'all'
}

/** Facts of a buyer's offers, folded into his leads; what is to be done about them are effects. */
export type LeadsProcessor = Processor<typeof offers, Buyer>

/**
 * The group `leads`. A fact whose predecessor has not come is deferred; one that was here before changes nothing. The
 * state and what is to be done come true in one commit; what is to be done is carried out after it.
 */
export function leadsProcessor(options: LeadsProcessorOptions): LeadsProcessor {
  const { desk, legacy, onUnmet = {}, initially = 'all' } = options
  const does = effectsOf(desk)
  return processor('leads', offers, {
    state: state({
      initial: () => newBuyer,
      maxBytes: 256 * 1024,
      ...(legacy ? { firstTouch: firstTouchOf(legacy) } : {}),
    }),
    ...(legacy ? { shadow: { initially }, compare: comparisonWith(legacy) } : {}),
    effects: Object.values(does),
    onUnmet,
    handle: (event, context) => {
      const { state: before } = context
      const fact = factOf(event)
      const verdict = judgeFact(before, fact)
      if (typeof verdict === 'object') return context.defer(verdict.waitsFor)
      const { buyer, tasks } = settleBuyer(verdict === 'next' ? withFact(before, fact) : before)
      const { untold, ...told } = buyer
      if (untold || buyer !== before) context.evolve(told)
      for (const task of tasks) record(task, context, does)
      const leads = leadsOf(buyer)
      const same = sameLeads(leads, leadsOf(before)) && openOffers(buyer) === openOffers(before)
      if (same && !untold) return
      const data = { low: leads.low, high: [...leads.high], open: openOffers(buyer) }
      context.emit(sales, { type: 'LeadsChanged', data })
    },
  })
}

/** What an event says, for the domain. */
export function factOf({ type, time, data }: OfferEvent): OfferFact {
  return { type, at: time, ...data }
}

const ofOffer = { offer: z.string(), car: z.string() }
const acceptance = z.int()

/** What is to be done, by name: what one program has recorded, another one may carry out. */
function effectsOf(desk: SalesDesk) {
  return {
    quote: defineEffect('quote', {
      schema: z.object({ kind: z.literal('quote'), ...ofOffer, price: z.int() }),
      run: (task, context) => desk.quote(task, context),
    }),
    contact: defineEffect('contact', {
      schema: z.object({ kind: z.literal('contact') }),
      run: (_, context) => desk.contact(context),
    }),
    // One effect for both, so that a call is never called off before it is asked for.
    call: defineEffect('call', {
      schema: z.object({ kind: z.enum(['call', 'cancel-call']), ...ofOffer, acceptance }),
      run: (task, context) => desk.call(task, context),
    }),
    tellAccepted: defineEffect('tell-accepted', {
      schema: z.object({ kind: z.literal('tell-accepted'), ...ofOffer, acceptance }),
      run: (task, context) => desk.tellAccepted(task, context),
    }),
  }
}

function record(
  task: SalesTask,
  context: HandlerContext<Buyer>,
  { quote, contact, call, tellAccepted }: ReturnType<typeof effectsOf>,
): void {
  switch (task.kind) {
    case 'quote':
      return context.effect(quote, task)
    case 'contact':
      return context.effect(contact, task)
    case 'call':
    case 'cancel-call':
      return context.effect(call, task)
    case 'tell-accepted':
      return context.effect(tellAccepted, task)
  }
}
