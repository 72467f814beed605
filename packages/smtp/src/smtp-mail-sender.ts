import { createTransport } from 'nodemailer'
import { mailAddress } from './mail-address.ts'
import { mailError } from './mail-failure.ts'
import { extraHeaders, headerText } from './mail-headers.ts'
import type { Mail, MailSender, SendOptions, SendReceipt } from './mail-sender.ts'
import { maskedAnswer } from './masked-answer.ts'
import { type AttemptLimits, SendAttempt } from './send-attempt.ts'
import { Slots } from './slots.ts'
import { smtpFailure } from './smtp-failure.ts'
import { smtpServerOf } from './smtp-url.ts'
import { settledWithin } from './settled-within.ts'

/** Who the mails come from. */
export interface MailFrom {
  readonly name?: string
  readonly address: string
}

export interface SmtpMailSenderOptions {
  /** `smtp://host:port` or `smtps://user:password@host:port`; see `smtpServerOf`. */
  readonly url: string
  readonly from: MailFrom
  /** Trust besides the system's: a certificate authority as PEM, or none checked (for tests alone). */
  readonly tls?: { readonly ca?: string; readonly rejectUnauthorized?: boolean }
  readonly limits?: Partial<SmtpLimits>
}

interface SmtpLimits extends AttemptLimits {
  /** Connections, and mails in hand at once. */
  readonly maxConnections: number
  /** A connection is replaced after so many mails. */
  readonly maxMailsPerConnection: number
  /** Mails that may wait for a connection; more are refused with `mail.temporary`. */
  readonly maxWaiting: number
  /** Milliseconds from the name lookup to the end of the greeting and TLS. */
  readonly connectTimeoutMs: number
  /** Milliseconds that a stop leaves to the mails in hand. */
  readonly stopTimeoutMs: number
}

// RFC 5321 4.5.3.2.6 asks for ten minutes after the final dot, so that a slow server makes no duplicates.
// Two minutes is the compromise: a connection that hangs must be replaced within sight.
const smtpLimits = {
  maxConnections: 4,
  maxMailsPerConnection: 100,
  maxWaiting: 1_000,
  connectTimeoutMs: 10_000,
  handOverTimeoutMs: 30_000,
  answerTimeoutMs: 120_000,
  stopTimeoutMs: 5_000,
} as const satisfies SmtpLimits

/** A `MailSender` that speaks SMTP over a few kept connections (nodemailer). */
export function createSmtpMailSender(options: SmtpMailSenderOptions): MailSender {
  const limits = { ...smtpLimits, ...options.limits }
  const from = {
    name: headerText(options.from.name ?? ''),
    address: mailAddress(options.from.address).address,
  }
  const transport = createTransport(transportOptions(options, limits))
  const slots = new Slots(limits.maxConnections, limits.maxWaiting)
  const attempts = new WeakMap<AbortSignal, SendAttempt>()
  // Nodemailer sends an international local part even to a server that does not offer SMTPUTF8, which
  // RFC 6531 forbids, and shows the offers only after a mail. Until the first one the server decides.
  let smtpUtf8 = true

  // A message stream that was read to its end has been written up to the final dot. That moment decides
  // between "surely not sent" and "may have been sent", and nodemailer does not tell it otherwise.
  transport.use('stream', (mail, done) => {
    const attempt = mail.data.signal === undefined ? undefined : attempts.get(mail.data.signal)
    mail.message.processFunc((body) => body.once('end', () => attempt?.handOver()))
    done()
  })

  async function send(mail: Mail, { signal }: SendOptions): Promise<SendReceipt> {
    const to = mailAddress(mail.to)
    if (to.international && !smtpUtf8) throw withoutSmtpUtf8()
    const message = messageOf(mail, from, to.address)
    const giveBack = await slots.take(signal)
    const attempt = new SendAttempt(limits, signal)
    attempts.set(attempt.signal, attempt)
    try {
      const info = await transport.sendMail({ ...message, signal: attempt.signal })
      smtpUtf8 = info.ehlo?.some((line) => /^SMTPUTF8\b/i.test(line)) ?? smtpUtf8
      return { messageId: mail.messageId, answer: maskedAnswer(info.response) }
    } catch (error) {
      throw smtpFailure(error, attempt)
    } finally {
      attempt.end()
      giveBack()
    }
  }

  async function stop(): Promise<void> {
    await settledWithin(slots.close(), limits.stopTimeoutMs)
    transport.close({ force: true })
  }

  return { deduplicates: false, send, stop }
}

function transportOptions(options: SmtpMailSenderOptions, limits: SmtpLimits) {
  const { host, port, secure, requireTls, auth } = smtpServerOf(options.url)
  return {
    pool: true,
    host,
    port,
    secure,
    requireTLS: requireTls,
    ...(auth === undefined ? {} : { auth }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    maxConnections: limits.maxConnections,
    maxMessages: limits.maxMailsPerConnection,
    // Nodemailer puts a mail back of which no byte was read, when an idle connection turns out dead.
    // Each of the kept connections may be dead.
    maxRequeues: limits.maxConnections,
    connectionTimeout: limits.connectTimeoutMs,
    greetingTimeout: limits.connectTimeoutMs,
    dnsTimeout: limits.connectTimeoutMs,
    // Behind our own limits, which know how far the mail came.
    socketTimeout: limits.handOverTimeoutMs + limits.answerTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as const
}

function withoutSmtpUtf8(): Error {
  return mailError('mail.refused', { scope: 'message', step: 'address', reason: 'smtputf8-not-offered' })
}

function messageOf(mail: Mail, from: { name: string; address: string }, to: string) {
  return {
    from,
    // Objects, never text: nodemailer would parse a text as a list of addresses.
    to: { name: '', address: to },
    envelope: { from: { name: '', address: from.address }, to: { name: '', address: to } },
    subject: headerText(mail.subject),
    text: mail.text,
    html: mail.html,
    messageId: headerText(mail.messageId),
    headers: extraHeaders(mail.headers),
    xMailer: false,
  } as const
}
