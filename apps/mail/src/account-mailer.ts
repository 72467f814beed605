import { type DeliveryOptions, type MailDelivery, mailFailureOf, type SendReceipt } from '@millrace/smtp'
import { accountMail, type AccountMailRequest, type AccountMailSettings } from './account-mail.ts'

/** Sends the mails that the events of the accounts ask for. */
export interface AccountMailer {
  /**
   * Resolves when the provider has taken the mail. Waits while the provider is away, for hours if need be.
   * Rejects with `mail.refused`, `mail.temporary` or `mail.unknown`; {@link failureKindOf} says what then.
   */
  send(
    request: AccountMailRequest,
    signal?: AbortSignal,
    onFailed?: DeliveryOptions['onFailed'],
  ): Promise<SendReceipt>
}

export function createAccountMailer(delivery: MailDelivery, settings: AccountMailSettings): AccountMailer {
  return {
    async send(request, signal, onFailed) {
      const mail = accountMail(request, settings)
      const key = { idempotencyKey: mail.messageId, ...(onFailed === undefined ? {} : { onFailed }) }
      const result = await delivery.deliver(mail, signal === undefined ? key : { ...key, signal })
      if (result.outcome === 'sent') return result.receipt
      throw result.error
    },
  }
}

/**
 * What a failed mail asks of the consumer.
 * - `permanent`: refused for good; a dead letter with the provider's answer;
 * - `wait`: again, not counted: the provider is away, or we are stopping;
 * - `retry`: again, counted: this mail was put off, or may have been sent.
 */
export function failureKindOf(error: unknown): 'permanent' | 'retry' | 'wait' {
  const failure = mailFailureOf(error)
  if (failure?.code === 'mail.refused') return 'permanent'
  return failure?.code === 'mail.temporary' && failure.scope !== 'message' ? 'wait' : 'retry'
}
