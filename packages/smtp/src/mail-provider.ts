import type { MailSender } from './mail-sender.ts'
import { createRestMailSender } from './rest-mail-sender.ts'
import { createSmtpMailSender, type MailFrom } from './smtp-mail-sender.ts'

/**
 * The sender for one URL, as a setting gives it: `smtp://` and `smtps://` speak SMTP (see `smtpServerOf`),
 * `https://token@host/path` a provider's REST interface. Throws a TypeError that does not repeat the secret.
 */
export function createMailSender(url: string, from: MailFrom): MailSender {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:')
    return createSmtpMailSender({ url, from })
  const token = tokenOf(parsed)
  parsed.username = parsed.password = ''
  return createRestMailSender({ url: parsed.href, token, from })
}

// Also as https://:token@…, which many write.
function tokenOf({ username, password }: URL): string {
  const token = decodeURIComponent(username === '' ? password : username)
  if (token === '') throw new TypeError('The mail interface needs its token: https://token@host/path')
  return token
}
