import { MillraceError } from '@millrace/event'
import type { Delivery } from '../lane/delivery.ts'
import type { Park } from '../parked-key.ts'
import type { KeySlot } from './key-slot.ts'

const mostMessage = 1_000

/** The park record of a key whose first unsettled event becomes the head; nobody is in line yet. */
export function parkOf(slot: KeySlot, blamed: Delivery, error: unknown, nowMs: number): Park | undefined {
  const head = slot.waiting.firstEvent ?? blamed
  const { recorded } = head
  if (recorded === undefined) return undefined
  const { event, position } = recorded
  const known = error instanceof MillraceError ? error : undefined
  const message = error instanceof Error ? error.message : String(error)
  return {
    key: slot.key,
    head: position.seq,
    last: position.seq,
    lined: 0,
    note: {
      id: position.id,
      type: event.type,
      eventId: event.id,
      attempts: blamed.attempt,
      reason: known?.code ?? 'internal',
      message:
        message.length <= mostMessage ? message : `${message.slice(0, mostMessage - 1).toWellFormed()}…`,
      sinceMs: slot.failures > 0 ? slot.firstFailedMs : nowMs,
    },
  }
}
