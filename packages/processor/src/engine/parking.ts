import type { Delivery } from '../lane/delivery.ts'
import type { KeySlot } from './key-slot.ts'
import { headOf, type HeadStory, noteOf } from './park-of.ts'
import { ParkedLine } from './parked-line.ts'

/**
 * An event of a parked key waits in its line; a timer is taken out of the store's list and set again when the key is not
 * parked any more. Answers whether the next commit speaks of it.
 */
export function lineUp(parked: ParkedLine, delivery: Delivery): boolean {
  const { recorded, timer, key } = delivery
  if (recorded !== undefined) parked.lineUp(delivery, recorded.position.seq)
  else if (timer === undefined || isBefore(parked.note.timer, timer)) return false
  else parked.aside.push({ key, name: timer.name, dueMs: timer.dueMs })
  return true
}

/**
 * Parks a key: the first event of what waits becomes the head, the others line up behind it. Answers how much more the
 * next commit speaks of; undefined when no event waits.
 */
export function parkSlot(slot: KeySlot, waiting: readonly Delivery[], story: HeadStory): number | undefined {
  const first = waiting.find(({ origin, recorded }) => recorded !== undefined && isOfLog(origin))
  if (first?.recorded === undefined) return undefined
  const head = headOf(first.recorded)
  const note = noteOf(head, story)
  const fresh = slot.parked === undefined
  const parked = (slot.parked ??= ParkedLine.begin(first, head, note))
  parked.note = note
  // The record itself, and the head when it has just come.
  let count = fresh ? 2 : 1
  for (const delivery of waiting) {
    // What comes from a line, or was set aside, is in the store.
    if (delivery.origin !== 'log' || (fresh && delivery === first)) continue
    if (lineUp(parked, delivery)) count += 1
  }
  parked.stopAt(head, note)
  return count
}

function isOfLog(origin: Delivery['origin']): boolean {
  return origin === 'log' || origin === 'line'
}

/** Whether the head waits behind this very timer, which stays where it is then. */
function isBefore(
  named: { readonly name: string; readonly dueMs: number } | undefined,
  timer: { readonly name: string; readonly dueMs: number },
): boolean {
  return named?.name === timer.name && named.dueMs === timer.dueMs
}
