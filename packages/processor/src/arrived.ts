import { upcast } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { ConsumerSettings } from './consumer-settings.ts'
import type { Delivery } from './delivery-window.ts'

/**
 * An event that was read, ready to be handled: with lanes by key at the present version of its type, settled when its
 * type is none of the group's, poison when it cannot be brought to that version.
 */
export function arrived(recorded: Recorded, settings: ConsumerSettings): Delivery {
  const { types, topic, lanes } = settings
  if (lanes === 'partition') return { recorded, settled: false }
  if (types && !types.has(recorded.event.type)) return { recorded, settled: true }
  try {
    return { recorded: { ...recorded, event: upcast(topic, recorded.event) }, settled: false }
  } catch (poison) {
    return { recorded, poison, settled: false }
  }
}
