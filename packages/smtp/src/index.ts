export { type MailAddress, mailAddress } from './mail-address.ts'
export type { BreakerState } from './mail-breaker.ts'
export {
  createMailDelivery,
  type DeliveryGate,
  type DeliveryOptions,
  type DeliveryResult,
  type DeliverySettings,
  type DeliveryStatus,
  type MailDelivery,
} from './mail-delivery.ts'
export { type MailFailure, mailFailureOf } from './mail-failure.ts'
export { headerText } from './mail-headers.ts'
export type { Mail, MailSender, SendOptions, SendReceipt } from './mail-sender.ts'
export { maskedAddress } from './masked-answer.ts'
export { messageIdOf } from './message-id.ts'
export { createMailSender } from './mail-provider.ts'
export { createRestMailSender, type RestMailSenderOptions } from './rest-mail-sender.ts'
export { createSmtpMailSender, type MailFrom, type SmtpMailSenderOptions } from './smtp-mail-sender.ts'
