import type { Delivery } from '../lane/delivery.ts'
import type { Lane } from '../lane/lane.ts'
import type { Fate } from './fate.ts'

/** Hands a delivery to its lane, or past it when its fate is decided. */
export function handOver(lane: Lane, delivery: Delivery, fate: Fate | undefined): void {
  if (fate?.outcome === 'dead') lane.pass(delivery, 'dead', messageOf(fate.error))
  else if (fate?.outcome === 'done') lane.pass(delivery, 'done')
  else if (delivery.timer === undefined) lane.feed(delivery)
  else lane.fire(delivery)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
