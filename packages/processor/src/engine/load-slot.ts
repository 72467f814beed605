import type { Recorded } from '@millrace/log'
import type { StoredKey } from '../group-store.ts'
import { decodeRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import { asOfOf } from '../model/taken-over.ts'
import { isDropped } from '../shadow/dropped-mark.ts'
import type { KeySlot } from './key-slot.ts'
import type { TakenOver } from './key-toucher.ts'
import { Offers } from './offers.ts'
import { ParkedLine } from './parked-line.ts'

/** Takes in what the store has of a key; `recorded` are its deferred events. */
export function loadSlot(
  slot: KeySlot,
  stored: StoredKey,
  recorded: readonly Recorded[],
  processor: Processor,
): void {
  const { state, parked, deferred } = stored
  slot.deferred = deferred
  if (deferred.length > 0) slot.offers = Offers.ofStored(deferred, recorded)
  slot.seq = state?.seq ?? 0
  slot.untouched = state === undefined ? processor.state?.firstTouch !== undefined : isDropped(state)
  slot.undecoded = slot.untouched ? undefined : state
  slot.phase = parked ? 'parked' : 'open'
  if (parked) slot.parked = ParkedLine.ofStored(parked)
}

/** Reads the record of a key, when it was not yet. Answers the error. */
export function decodeSlot(processor: Processor, slot: KeySlot): { readonly error: unknown } | undefined {
  if (slot.undecoded === undefined) return undefined
  try {
    slot.record = slot.base = decodeRecord(processor, slot.undecoded)
    slot.undecoded = undefined
    slot.asOf = asOfOf(slot.record)
    return undefined
  } catch (error) {
    return { error }
  }
}

/** What the key begins with was found out: it can go on. */
export function takeOver(slot: KeySlot, taken: TakenOver): void {
  slot.untouched = false
  slot.taken = taken
  slot.record = slot.base = taken.record
  slot.asOf = asOfOf(taken.record)
  slot.phase = 'open'
}
