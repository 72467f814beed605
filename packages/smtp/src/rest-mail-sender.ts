import { scopeHeaders } from '@millrace/event'
import { isLoopback } from './loopback.ts'
import { mailAddress } from './mail-address.ts'
import { mailError } from './mail-failure.ts'
import { extraHeaders, headerText } from './mail-headers.ts'
import type { Mail, MailSender, SendOptions, SendReceipt } from './mail-sender.ts'
import { maskedAnswer } from './masked-answer.ts'
import { restFailure, restRefusal } from './rest-failure.ts'
import { SendAttempt } from './send-attempt.ts'
import { settledWithin } from './settled-within.ts'
import { Slots } from './slots.ts'
import type { MailFrom } from './smtp-mail-sender.ts'

export interface RestMailSenderOptions {
  /** Where mails are posted to, such as `https://api.provider.example/emails`. */
  readonly url: string
  /** Goes into `Authorization: Bearer`. */
  readonly token: string
  readonly from: MailFrom
  /** The body that this provider wants. Must give the same for the same mail; the default is `restBody`. */
  readonly toBody?: (mail: Mail, from: string) => unknown
  readonly fetch?: typeof fetch
  readonly limits?: Partial<RestLimits>
}

interface RestLimits {
  /** Requests at once. */
  readonly maxRequests: number
  /** Mails that may wait for a turn; more are refused with `mail.temporary`. */
  readonly maxWaiting: number
  /** Milliseconds for one request, from the connection to the end of the answer. */
  readonly requestTimeoutMs: number
  /** Milliseconds that a stop leaves to the requests in hand. */
  readonly stopTimeoutMs: number
}

const restLimits = {
  maxRequests: 4,
  maxWaiting: 1_000,
  requestTimeoutMs: 30_000,
  stopTimeoutMs: 5_000,
} as const satisfies RestLimits

const maxAnswerBytes = 64 * 1024

/**
 * A `MailSender` that posts JSON to a provider, one request a mail, with an `Idempotency-Key`: the provider
 * answers a repeat with its first answer, so an answer that was lost is `mail.temporary`, never unknown.
 */
export function createRestMailSender(options: RestMailSenderOptions): MailSender {
  const limits = { ...restLimits, ...options.limits }
  const url = endpointOf(options.url)
  const from = senderText(options.from)
  const request = options.fetch ?? fetch
  const slots = new Slots(limits.maxRequests, limits.maxWaiting)
  const stopping = new AbortController()

  async function send(mail: Mail, { idempotencyKey, signal }: SendOptions): Promise<SendReceipt> {
    const body = JSON.stringify((options.toBody ?? restBody)(mail, from))
    const headers = {
      authorization: `Bearer ${options.token}`,
      'content-type': 'application/json',
      accept: 'application/json',
      'idempotency-key': keyOf(idempotencyKey),
      ...scopeHeaders(),
    }
    const giveBack = await slots.take(signal)
    const attempt = new SendAttempt(attemptLimits(limits), anyOf(stopping.signal, signal))
    try {
      // Not followed: a redirect would carry the token to another host.
      const init = { method: 'POST', redirect: 'manual', headers, body, signal: attempt.signal } as const
      const response = await request(url, init)
      const answer = await boundedText(response)
      if (!response.ok) throw restRefusal(response, answer)
      return { messageId: mail.messageId, answer: maskedAnswer(answer) }
    } catch (error) {
      throw restFailure(error, attempt)
    } finally {
      attempt.end()
      giveBack()
    }
  }

  async function stop(): Promise<void> {
    const idle = slots.close()
    if (!(await settledWithin(idle, limits.stopTimeoutMs))) stopping.abort()
    await idle
  }

  return { deduplicates: true, send, stop }
}

/** The body that several providers share. */
function restBody(mail: Mail, from: string): unknown {
  return {
    from,
    to: [mailAddress(mail.to).address],
    subject: headerText(mail.subject),
    text: mail.text,
    html: mail.html,
    headers: { 'Message-ID': headerText(mail.messageId), ...extraHeaders(mail.headers) },
  }
}

// Without TLS the token would be readable on the way.
function endpointOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const safe = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLoopback(parsed.hostname))
  if (parsed === undefined || !safe || parsed.username !== '' || parsed.password !== '') {
    throw new TypeError('The mail interface is written https://host/path, without user or password')
  }
  return parsed.href
}

function senderText({ name, address }: MailFrom): string {
  const ascii = mailAddress(address).address
  const display = headerText(name ?? '').replaceAll(/["\\<>]/g, '')
  return display === '' ? ascii : `"${display}" <${ascii}>`
}

// A header value is bytes: a key out of anything else is refused here and not by fetch's TypeError.
function keyOf(key: string): string {
  if (/^[\x21-\x7e]{1,256}$/.test(key)) return key
  throw new TypeError('An idempotency key is 1 to 256 visible ASCII characters')
}

// The request has no visible second half, and needs none: see `deduplicates`.
function attemptLimits({ requestTimeoutMs }: RestLimits) {
  return { handOverTimeoutMs: requestTimeoutMs, answerTimeoutMs: requestTimeoutMs }
}

function anyOf(stopping: AbortSignal, signal: AbortSignal | undefined): AbortSignal {
  return signal === undefined ? stopping : AbortSignal.any([stopping, signal])
}

async function boundedText({ body }: Response): Promise<string> {
  if (body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size > maxAnswerBytes) {
      throw mailError('mail.temporary', { scope: 'provider', step: 'answer', reason: 'answer-too-large' })
    }
  }
  return Buffer.concat(chunks).toString('utf8')
}
