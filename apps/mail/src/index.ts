export { accountMail, type AccountMailRequest, type AccountMailSettings } from './account-mail.ts'
export { type AccountMailer, createAccountMailer, failureKindOf } from './account-mailer.ts'
export type { Product } from './letter.ts'
