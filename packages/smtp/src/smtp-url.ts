import { isLoopback } from './loopback.ts'

/** Where and how to speak SMTP. */
export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (`smtps://`). */
  readonly secure: boolean
  /** Refuse to go on when the server does not offer STARTTLS. */
  readonly requireTls: boolean
  readonly auth?: { readonly user: string; readonly pass: string }
}

/**
 * Reads `smtp://host[:587]`, `smtps://user:password@host[:465]`; user and password are percent-encoded.
 * A password is never sent in the clear to another machine: `smtp://` with a password demands STARTTLS
 * unless the host is loopback. `?requireTLS=true|false` says otherwise.
 *
 * Throws a TypeError with one sentence that never repeats the password.
 */
export function smtpServerOf(url: string): SmtpServer {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const secure = parsed?.protocol === 'smtps:'
  if (parsed === undefined || (!secure && parsed.protocol !== 'smtp:') || parsed.hostname === '') {
    throw new TypeError('A mail server is written smtp://host:port or smtps://user:password@host:port')
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  const auth = credentialsOf(parsed)
  const wish = parsed.searchParams.get('requireTLS')
  if (wish !== null && wish !== 'true' && wish !== 'false') {
    throw new TypeError('requireTLS in the mail server URL is true or false')
  }
  const requireTls = wish === null ? auth !== undefined && !isLoopback(host) : wish === 'true'
  const port = parsed.port === '' ? (secure ? 465 : 587) : Number(parsed.port)
  return { host, port, secure, requireTls: !secure && requireTls, ...(auth === undefined ? {} : { auth }) }
}

function credentialsOf(url: URL): { user: string; pass: string } | undefined {
  if (url.username === '' && url.password === '') return undefined
  try {
    return { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
  } catch {
    throw new TypeError('User and password in the mail server URL must be percent-encoded')
  }
}
