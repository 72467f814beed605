/** One mail to one address. The same event must always give the same mail: a provider compares repeats. */
export interface Mail {
  /** The address as the account holds it; the domain may be international, the local part too. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** With its angle brackets, derived from the event: see `messageIdOf`. */
  readonly messageId: string
  /** Further headers, such as `X-Correlation-Id`; never one that the sender writes itself. */
  readonly headers: Readonly<Record<string, string>>
}

export interface SendOptions {
  /** The same for every repeat of this mail: the event's id. At most 256 characters. */
  readonly idempotencyKey: string
  /** Gives up: `mail.temporary` when the mail was surely not sent, else `mail.unknown`. */
  readonly signal?: AbortSignal
}

/** The provider has taken the mail. */
export interface SendReceipt {
  readonly messageId: string
  /** What the provider answered, masked: its queue id, for a question to its support. */
  readonly answer: string
}

/**
 * Hands one mail to a provider, once: no retry and no breaker in here (see `guardMailSender`).
 *
 * Rejects only with a `MillraceError`, whose `details` are a `MailFailureDetails`:
 * - `mail.temporary`: not sent, or a repeat with the same key is recognised by the provider;
 * - `mail.refused`: this mail will never be taken; the provider's answer is in the details;
 * - `mail.unknown`: the connection was lost after the mail was handed over. A repeat may be a duplicate.
 */
export interface MailSender {
  /** Whether the provider recognises a repeated key. If so a lost answer is `mail.temporary`. */
  readonly deduplicates: boolean
  send(mail: Mail, options: SendOptions): Promise<SendReceipt>
  /** Lets the mails in hand finish (up to a limit), then closes the connections. May be called twice. */
  stop(): Promise<void>
}
