import type { DeliveryResult, MailDelivery } from '@millrace/smtp'
import { accountMail, type AccountMailRequest, type AccountMailSettings } from './account-mail.ts'

/** Sends the mails that the events of the accounts ask for. */
export interface AccountMailer {
  /**
   * Resolves when the provider has taken the mail (`sent`), when it never will (`refused`: a dead letter)
   * or not now (`deferred`: to be asked for again after a while). Waits while the provider is away.
   * Rejects when given up by the signal or a stop; the mail counts as not sent then.
   */
  deliver(request: AccountMailRequest, signal?: AbortSignal): Promise<DeliveryResult>
}

export function createAccountMailer(delivery: MailDelivery, settings: AccountMailSettings): AccountMailer {
  return {
    deliver(request, signal) {
      const mail = accountMail(request, settings)
      const key = { idempotencyKey: mail.messageId }
      return delivery.deliver(mail, signal === undefined ? key : { ...key, signal })
    },
  }
}
