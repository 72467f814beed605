import type { Recorded } from '@millrace/log'
import { Delivery } from '../lane/delivery.ts'
import type { Processor } from '../model/processor.ts'
import type { Ruling } from '../ruling.ts'
import { arrival } from './arrival.ts'
import type { Fate } from './fate.ts'

/** An event that is handled again, as an operator has ruled: as it lies on the log, corrected, or not at all. */
export function ruledArrival(
  processor: Processor,
  recorded: Recorded,
  ruling: Ruling | undefined,
  fates: Map<Delivery, Fate>,
): Delivery {
  const { event, position } = recorded
  switch (ruling?.kind) {
    case 'ignored': {
      const delivery = Delivery.ofEvent(recorded)
      fates.set(delivery, { outcome: 'done' })
      return delivery
    }
    case 'corrected': {
      // The data fit the present version of the type, whatever version was stored.
      const type = Object.hasOwn(processor.topic.types, event.type)
        ? processor.topic.types[event.type]
        : undefined
      const version = type !== undefined && 'upcasters' in type ? type.version : 1
      const corrected = { ...event, data: ruling.data, correctionof: event.id, dataversion: version }
      return arrival(processor, { event: corrected, position }, fates)
    }
    case 'requeued':
    case undefined:
      return arrival(processor, recorded, fates)
  }
}
