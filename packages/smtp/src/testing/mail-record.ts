import PostalMime, { type Email } from 'postal-mime'

/** A mail as it reached the server. */
export interface ReceivedMail {
  /** Envelope sender and recipients: what counts, whatever the headers say. */
  readonly from: string
  readonly to: readonly string[]
  readonly messageId: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** All values of each header, by lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly raw: Uint8Array
  /** False when the server hung up instead of saying that it took the mail. */
  readonly answered: boolean
  /** The client asked for SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean
  /** The idempotency key, where the interface has one. */
  readonly idempotencyKey?: string
}

/** What a test server saw, in order, with a signal for those who wait. */
export class MailRecord {
  readonly #mails: ReceivedMail[] = []
  readonly #recipients: string[] = []
  readonly #waiting = new Set<{ readonly count: number; readonly resolve: () => void }>()

  /** Mails in the order in which they were whole. */
  get mails(): readonly ReceivedMail[] {
    return this.#mails
  }

  /** Every recipient that was asked for, refused ones included. */
  get recipients(): readonly string[] {
    return this.#recipients
  }

  mailsTo(address: string): ReceivedMail[] {
    return this.#mails.filter(({ to }) => to.includes(address))
  }

  /** Resolves when at least so many mails are there. The test's own time limit ends a vain wait. */
  async received(count: number): Promise<readonly ReceivedMail[]> {
    if (this.#mails.length < count) {
      await new Promise<void>((resolve) => this.#waiting.add({ count, resolve }))
    }
    return this.#mails
  }

  clear(): void {
    this.#mails.length = 0
    this.#recipients.length = 0
  }

  add(mail: ReceivedMail): void {
    this.#mails.push(mail)
    for (const waiter of this.#waiting) {
      if (waiter.count > this.#mails.length) continue
      this.#waiting.delete(waiter)
      waiter.resolve()
    }
  }

  asked(address: string): void {
    this.#recipients.push(address)
  }
}

/** Reads a raw mail into a record. */
export async function parsedMail(
  received: Pick<ReceivedMail, 'raw' | 'from' | 'to' | 'answered' | 'smtpUtf8'>,
): Promise<ReceivedMail> {
  const email = await PostalMime.parse(received.raw)
  return {
    ...received,
    messageId: email.messageId ?? '',
    subject: email.subject ?? '',
    text: email.text ?? '',
    html: email.html ?? '',
    headers: headersOf(email),
  }
}

function headersOf(email: Email): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, string[]>()
  for (const { key, value } of email.headers) headers.set(key, [...(headers.get(key) ?? []), value])
  return headers
}
