export { mailedTypes } from './mail-of-event.ts'
export type { ExpiringLink } from './account-letters.ts'
export { accountMail, type AccountMailRequest, type AccountMailSettings } from './account-mail.ts'
export { type AccountMailer, createAccountMailer, failureKindOf } from './account-mailer.ts'
export type { Product } from './letter.ts'
export { accountLinks, type AccountLinksOptions, type MailLinks } from './mail-links.ts'
export {
  createMailService,
  type MailHealth,
  type MailService,
  type MailServiceOptions,
} from './mail-service.ts'
