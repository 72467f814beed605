import type { Delivery } from '../lane/delivery.ts'
import type { Lane } from '../lane/lane.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { AsOf } from '../migrated-key.ts'
import { isBeforeSnapshot } from '../model/taken-over.ts'
import type { Fate } from './fate.ts'
import { handOver } from './hand-over.ts'
import type { KeySlot } from './key-slot.ts'
import { decodeSlot } from './load-slot.ts'

const nobody: readonly Delivery[] = []
const untouched = { error: undefined }
const beforeSnapshot: Fate = { outcome: 'done', before: true }

/** What feeding works with. */
export interface Feeder {
  readonly settings: EngineSettings
  readonly fates: Map<Delivery, Fate>
  /** Slots with something unsettled in their lane. */
  readonly busy: Set<KeySlot>
  open(slot: KeySlot): Lane
  wake(slot: KeySlot): void
  /** Finds out what the key begins with. */
  touch(slot: KeySlot): void
  /** A delivery is settled without its lane. */
  settled(slot: KeySlot, delivery: Delivery): void
  failed(slot: KeySlot, delivery: Delivery | undefined, error: unknown): void
}

/** Hands over what waits of a key, at most so many deliveries; answers how many those were. */
export function feedSlot(slot: KeySlot, most: number, feeder: Feeder): number {
  const { settings, fates } = feeder
  const { waiting } = slot
  let fed = 0
  if (!decode(slot, feeder)) return 1
  if (slot.beat && waiting.length === 0) fed += offer(slot, feeder)
  while (waiting.length > 0 && fed < most && slot.phase === 'open') {
    const lane = (slot.lane ??= feeder.open(slot))
    if (lane.inHand >= settings.laneWindow) break
    if (slot.asOf !== undefined) passOver(slot.asOf, waiting.first, fates)
    const fate = fates.size > 0 && waiting.first ? fates.get(waiting.first) : undefined
    if (fate?.outcome === 'hold') {
      // Not before those in front of it are settled.
      if (lane.inHand > 0) break
      feeder.failed(slot, waiting.first, fate.error)
      return fed + 1
    }
    const again = fate || waiting.first?.timer ? nobody : offered(slot, feeder)
    if (again.length > 0 && lane.inHand > 0) break
    const delivery = waiting.shift()
    if (delivery === undefined) break
    fed += 1 + again.length
    handOver(lane, delivery, fates, again)
    // It may be over by now, and have thrown back what it had in hand.
    if (slot.lane !== lane) continue
    if (lane.inHand > 0) beBusy(slot, feeder)
  }
  // Cut short by its bounds: woken again when something of it is settled, or on the next round.
  if (waiting.length > 0 && slot.phase === 'open' && !slot.lane?.inHand) feeder.wake(slot)
  return fed
}

/** Something of the slot is under way from now on, if nothing was. */
function beBusy(slot: KeySlot, { busy, settings }: Feeder): void {
  if (busy.has(slot)) return
  busy.add(slot)
  slot.headSinceMs = settings.elapsedMs()
}

/** The deferred events of a key that are to be offered behind the next one. */
function offered(slot: KeySlot, { settings, fates }: Feeder): readonly Delivery[] {
  if (slot.offers === undefined) return nobody
  const { processor, clock, elapsedMs } = settings
  const times = { nowMs: clock.now(), elapsedMs: elapsedMs() }
  const due = slot.offers.due(processor, times, fates)
  if (slot.asOf !== undefined) for (const delivery of due) passOver(slot.asOf, delivery, fates)
  return due
}

/** Offers what is deferred, once nothing of the key is under way; answers how many those were. */
function offer(slot: KeySlot, feeder: Feeder): number {
  const { fates } = feeder
  if (slot.lane?.inHand) return 0
  slot.beat = false
  if (slot.parked !== undefined) return 0
  const again = offered(slot, feeder)
  for (const delivery of again) handOver((slot.lane ??= feeder.open(slot)), delivery, fates, nobody)
  if (slot.lane?.inHand) beBusy(slot, feeder)
  return again.length
}

/** Reads the record of the key; false: it cannot be read, and the first delivery has paid for it. */
function decode(slot: KeySlot, feeder: Feeder): boolean {
  const fault = slot.untouched ? untouched : decodeSlot(feeder.settings.processor, slot)
  const first = slot.waiting.first
  if (fault === undefined) return true
  if (first === undefined && fault !== untouched) return false
  // An event that is not to be handled needs no state.
  const fate = first && feeder.fates.get(first)
  if (first !== undefined && fate !== undefined && fate.outcome !== 'hold') {
    slot.waiting.shift()
    first.outcome = fate.outcome
    feeder.settled(slot, first)
    if (slot.waiting.length > 0) feeder.wake(slot)
  } else if (fault === untouched) feeder.touch(slot)
  else feeder.failed(slot, first, fault.error)
  return false
}

/** An event that is in what the key was taken over with is done without its handler. */
function passOver(asOf: AsOf, delivery: Delivery | undefined, fates: Map<Delivery, Fate>): void {
  const { recorded } = delivery ?? {}
  if (delivery && recorded && isBeforeSnapshot(asOf, recorded)) fates.set(delivery, beforeSnapshot)
}
