import type { Recorded } from '@millrace/log'
import type { StoredKey } from '../group-store.ts'
import { decodeRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import type { KeySlot } from './key-slot.ts'
import { Offers } from './offers.ts'
import { ParkedLine } from './parked-line.ts'

/** Takes in what the store has of a key; `recorded` are its deferred events. */
export function loadSlot(slot: KeySlot, stored: StoredKey, recorded: readonly Recorded[]): void {
  const { state, parked, deferred } = stored
  slot.deferred = deferred
  if (deferred.length > 0) slot.offers = Offers.ofStored(deferred, recorded)
  slot.seq = state?.seq ?? 0
  slot.undecoded = state
  slot.phase = parked ? 'parked' : 'open'
  if (parked) slot.parked = ParkedLine.ofStored(parked)
}

/** Reads the record of a key, when it was not yet. Answers the error. */
export function decodeSlot(processor: Processor, slot: KeySlot): { readonly error: unknown } | undefined {
  if (slot.undecoded === undefined) return undefined
  try {
    slot.record = slot.base = decodeRecord(processor, slot.undecoded)
    slot.undecoded = undefined
    return undefined
  } catch (error) {
    return { error }
  }
}
