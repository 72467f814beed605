import type { KeySlot } from './key-slot.ts'

/**
 * Gives idle slots up when there are more than `most`, until three quarters of that are left: those that this intake has
 * not touched and that no commit under way speaks of.
 */
export function evictIdle(
  slots: Map<string, KeySlot>,
  { most, committed, intake }: { most: number; committed: number; intake: number },
): void {
  if (slots.size <= most) return
  const enough = Math.floor(most * 0.75)
  for (const slot of slots.values()) {
    if (slots.size <= enough) return
    if (!slot.idle || slot.touched === intake || slot.inCommit > committed) continue
    slot.lane?.close()
    slots.delete(slot.key)
  }
}
