import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { DeferredEvent } from '../deferred-event.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { Processor } from '../model/processor.ts'
import { arrival } from './arrival.ts'
import type { Fate } from './fate.ts'

/** Most deferred events of a key; what would be one more is given up. */
const mostDeferred = 100

interface Offer {
  readonly event: DeferredEvent
  readonly recorded: Recorded
  attempts: number
  /** It has failed: left out until then, in ms of elapsed time. */
  notBeforeMs: number
  /** Given up: a dead letter with the next offer. */
  fate: Fate | undefined
}

/** The deferred events of a key in its owner's hand, as they are when everything that is settled was committed. */
export class Offers {
  #all: Offer[] = []

  /** What the store has. */
  static ofStored(events: readonly DeferredEvent[], recorded: readonly Recorded[]): Offers {
    const offers = new Offers()
    for (const [at, event] of events.entries()) offers.#add(event, recorded[at])
    return offers
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.#all.length > 0
  }

  /** Those that are to be offered now, in order; what they wait for too long is their fate. */
  due(
    processor: Processor,
    { nowMs, elapsedMs }: { readonly nowMs: number; readonly elapsedMs: number },
    fates: Map<Delivery, Fate>,
  ): readonly Delivery[] {
    return this.#all
      .filter(({ notBeforeMs }) => notBeforeMs <= elapsedMs)
      .map(({ event, recorded, attempts, fate }) => {
        const delivery = arrival({ ...processor, onExhausted: 'skip-event' }, recorded, fates)
        delivery.origin = 'deferred'
        delivery.attempt = attempts + 1
        const late = event.untilMs !== undefined && event.untilMs <= nowMs
        const decided = fate ?? (late ? unmet(event) : undefined)
        if (decided) fates.set(delivery, decided)
        return delivery
      })
  }

  /** A delivery of the key is settled. Answers whether there is one more now. */
  settled(delivery: Delivery, nowMs: number, deferMs: number): boolean {
    const { recorded, outcome, origin } = delivery
    if (recorded === undefined) return false
    if (origin === 'deferred') {
      if (outcome !== 'deferred') this.#all = this.#all.filter((offer) => !isOf(offer, recorded))
      return false
    }
    if (outcome !== 'deferred') return false
    if (this.#all.length >= mostDeferred) {
      delivery.outcome = 'dead'
      delivery.why = `The key has ${mostDeferred} deferred events already: ${delivery.why ?? ''}`
      return false
    }
    this.#add(deferralOf(recorded, delivery.why, nowMs, deferMs), recorded)
    return true
  }

  /** An offer has failed: left out for a while, or given up. */
  failed(
    delivery: Delivery,
    failure: { readonly fate?: Fate; readonly notBeforeMs: number; readonly counts: boolean },
  ): void {
    const { recorded } = delivery
    const offer = recorded && this.#all.find((one) => isOf(one, recorded))
    if (offer === undefined) return
    if (failure.counts) offer.attempts += 1
    offer.notBeforeMs = failure.notBeforeMs
    offer.fate = failure.fate
  }

  #add(event: DeferredEvent, recorded: Recorded | undefined): void {
    if (recorded === undefined) return
    const offer: Offer = {
      event,
      recorded,
      attempts: 0,
      notBeforeMs: Number.NEGATIVE_INFINITY,
      fate: undefined,
    }
    this.#all = [...this.#all, offer].toSorted((a, b) => a.event.seq - b.event.seq)
  }
}

/** What is stored of an event that is set aside. */
export function deferralOf(
  { event, position }: Recorded,
  why: string | undefined,
  nowMs: number,
  deferMs: number,
): DeferredEvent {
  return {
    seq: position.seq,
    id: position.id,
    type: event.type,
    eventId: event.id,
    why: why ?? '',
    sinceMs: nowMs,
    ...(Number.isFinite(deferMs) ? { untilMs: nowMs + deferMs } : {}),
  }
}

function isOf({ event }: Offer, { position }: Recorded): boolean {
  return event.seq === position.seq
}

function unmet({ why, sinceMs, untilMs = 0 }: DeferredEvent): Fate {
  const error = new MillraceError('event.unmet', `It has waited for ${untilMs - sinceMs} ms: ${why}`, {
    details: { why, sinceMs, untilMs },
  })
  return { outcome: 'dead', error, spent: false }
}
