import { type Topic, upcast } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { Delivery } from '../lane/delivery.ts'
import type { Fate } from './fate.ts'

/** An event that was read, at the present version of its type; poison that cannot be brought there has its fate. */
export function arrival(topic: Topic, recorded: Recorded, fates: Map<Delivery, Fate>): Delivery {
  try {
    const { event, position } = recorded
    return Delivery.ofEvent({ event: upcast(topic, event), position })
  } catch (error) {
    const delivery = Delivery.ofEvent(recorded)
    fates.set(delivery, { error, spent: false })
    return delivery
  }
}
