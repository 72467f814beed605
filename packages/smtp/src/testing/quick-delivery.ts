import { onTestFinished } from 'vitest'
import { createMailDelivery, type DeliverySettings, type MailDelivery } from '../mail-delivery.ts'
import type { MailSender } from '../mail-sender.ts'
import { plainMail } from './scripted-sender.ts'

/** Short pauses, so that a breaker opens and probes within a test. */
export const quick = { failures: 3, firstProbeMs: 8, maxProbeMs: 40, retryMs: 2, deferMs: 77 } as const

/** A delivery with short pauses, the states that it goes through, and its stop at the end of the test. */
export function started(sender: MailSender, settings: Partial<DeliverySettings> = {}) {
  const delivery = createMailDelivery(sender, { ...quick, ...settings })
  const states: string[] = []
  delivery.onStateChange((state) => states.push(state))
  onTestFinished(() => delivery.stop())
  return { delivery, states }
}

/** Delivers a mail, whose idempotency key is its address. */
export function deliver(delivery: MailDelivery, to: string, signal?: AbortSignal) {
  return delivery.deliver(plainMail(to), { idempotencyKey: to, ...(signal === undefined ? {} : { signal }) })
}
