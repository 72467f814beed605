import { type Event, upcast } from '@millrace/event'
import type { Position, Recorded } from '@millrace/log'
import { Delivery } from '../lane/delivery.ts'
import type { Processor } from '../model/processor.ts'
import type { ParkTry } from '../parked-key.ts'
import type { Fate } from './fate.ts'

// No literal: see lane/recording.ts.
class Arrived implements Recorded {
  readonly event: Event
  readonly position: Position

  constructor(event: Event, position: Position) {
    this.event = event
    this.position = position
  }
}

/**
 * An event that was read, at the present version of its type unless the processor wants it as it is stored; poison that
 * cannot be brought there has its fate.
 */
export function arrival(processor: Processor, recorded: Recorded, fates: Map<Delivery, Fate>): Delivery {
  const { topic, asStored } = processor
  if (asStored) return Delivery.ofEvent(recorded)
  try {
    const { event, position } = recorded
    return Delivery.ofEvent(new Arrived(upcast(topic, event), position))
  } catch (error) {
    const delivery = Delivery.ofEvent(recorded)
    fates.set(delivery, fateOfUnreadable(processor, error))
    return delivery
  }
}

/** What becomes of an event that no handler can be given. */
export function fateOfUnreadable(
  { onExhausted }: Processor,
  error: unknown,
  tries: readonly ParkTry[] = [],
): Fate {
  return onExhausted === 'hold-key'
    ? { outcome: 'hold', error }
    : { outcome: 'dead', error, spent: false, tries }
}
