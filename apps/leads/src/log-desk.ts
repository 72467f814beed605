import { type Clock, derivedId, MillraceError, newEvent } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { type MailDelivery, mailFailureOf } from '@millrace/smtp'
import { appendOnce } from './append-once.ts'
import type { SalesDesk, TaskContext } from './sales-desk.ts'
import { type BuyerMail, buyerMail, mailIdOf, type MailSettings } from './sales-mails.ts'
import { type SalesEvent, sales } from './sales-topic.ts'

/** What {@link createLogDesk} needs. */
export interface LogDeskOptions {
  readonly log: Pick<EventLog, 'append' | 'readKey'>
  /** The way to the mail provider. Its owner stops it. */
  readonly delivery: Pick<MailDelivery, 'deliver'>
  readonly mails: MailSettings
  /** Where a buyer gets his mail. */
  readonly addressOf: (buyer: string) => string
  readonly clock?: Clock
}

/** Producer of the events; with their ids their identity, so it never changes. */
const source = '/millrace/leads/desk'

/** The id of the call task for an acceptance: it is the same whoever asks for it. */
export function taskIdOf(
  buyer: string,
  { offer, acceptance }: { offer: string; acceptance: number },
): string {
  return derivedId('call-task', buyer, offer, String(acceptance))
}

/**
 * Carries tasks out on the sales topic and by mail. What it appends has an id that follows from what it is for: asked
 * for again, however much later, its buyer has it already. A mail that is repeated carries the same Message-ID.
 */
export function createLogDesk({ log, delivery, mails, addressOf, clock }: LogDeskOptions): SalesDesk {
  const append = async (
    id: string,
    { key, correlationId, causationId }: TaskContext,
    draft: Pick<SalesEvent, 'type' | 'data'>,
  ) => {
    const event = newEvent(sales, { ...draft, id, key, source, correlationId, causationId }, clock)
    await appendOnce(log, sales, event)
  }
  const send = async (mail: BuyerMail, { key: buyer, correlationId, signal }: TaskContext) => {
    const letter = buyerMail({ buyer, address: addressOf(buyer), correlationId }, mail, mails)
    const result = await delivery.deliver(letter, { idempotencyKey: mailIdOf(buyer, mail), signal })
    if (result.outcome !== 'sent') throw refusalOf(result.error)
  }
  return {
    quote: ({ offer, car, price }, context) =>
      append(derivedId('quote', context.key, offer), context, {
        type: 'QuoteMade',
        data: { offer, car, price },
      }),
    contact: async (context) => {
      await send({ kind: 'quotes' }, context)
      await append(derivedId('contact', context.key), context, { type: 'BuyerContacted', data: {} })
    },
    call: ({ kind, offer, car, acceptance }, context) => {
      const task = taskIdOf(context.key, { offer, acceptance })
      const type = kind === 'call' ? 'CallTaskOpened' : 'CallTaskCancelled'
      return append(derivedId(type, task), context, { type, data: { task, offer, car, acceptance } })
    },
    tellAccepted: ({ offer, car, acceptance }, context) =>
      send({ kind: 'accepted', offer, car, acceptance }, context),
  }
}

/** An address that is refused for good stays so: the effect is given up at once, and an operator sees why. */
function refusalOf(error: MillraceError): MillraceError {
  const failure = mailFailureOf(error)
  if (failure?.code === 'mail.refused') return error
  return new MillraceError('service.unavailable', error.message, { cause: error })
}
