import type { Delivery } from '../lane/delivery.ts'
import type { Lane } from '../lane/lane.ts'
import type { Fate } from './fate.ts'

/** Why an event is done that its handler has not seen. */
export const beforeSnapshot = 'before snapshot'

/**
 * Hands a delivery to its lane, or past it when its fate is decided. Behind it, in the same commit, come those of the
 * key that are offered again.
 */
export function handOver(
  lane: Lane,
  delivery: Delivery,
  fates: ReadonlyMap<Delivery, Fate>,
  offered: readonly Delivery[],
): void {
  handOne(lane, delivery, fates.get(delivery), offered.length)
  for (const one of offered) if (!lane.over) handOne(lane, one, fates.get(one), 0)
}

function handOne(lane: Lane, delivery: Delivery, fate: Fate | undefined, behind: number): void {
  if (fate?.outcome === 'dead') lane.pass(delivery, 'dead', messageOf(fate.error))
  else if (fate?.outcome === 'done') lane.pass(delivery, 'done', fate.before && beforeSnapshot)
  else if (delivery.timer === undefined) lane.feed(delivery, behind)
  else lane.fire(delivery)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
