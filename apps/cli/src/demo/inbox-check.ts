import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/event'
import { normalAddress } from './address-forms.ts'

/** Where the mails are looked for, and for how long. */
export interface InboxSource {
  readonly inboxUrl: string
  /** Addresses in normal form; each must get a mail. */
  readonly addresses: ReadonlySet<string>
  /** Give up when nothing new has come for so long. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  readonly onMailed: (mailed: number) => void
}

/** What the inbox says of a run. */
export interface InboxFinding {
  /** Addresses that have at least one mail. */
  readonly mailed: number
  /** Mails to them, and those among them that are there a second time (same Message-ID). */
  readonly mails: number
  readonly repeated: number
  readonly differences: readonly string[]
}

interface MailPage {
  readonly mails: readonly {
    readonly id: string
    readonly to: readonly string[]
    readonly messageId: string
  }[]
  readonly next: string | null
}

const pollMs = 300

/**
 * Waits until every address has a mail, or nothing new comes any more.
 *
 * @throws MillraceError `service.unavailable`, `service.failed`
 */
export async function checkInbox(source: InboxSource): Promise<InboxFinding> {
  const mailed = new Set<string>()
  const messages = new Set<string>()
  let [mails, after, newsAtMs] = [0, '', performance.now()]
  while (mailed.size < source.addresses.size && performance.now() - newsAtMs < source.patienceMs) {
    const page = await mailsAfter(source, after)
    for (const { to, messageId } of page.mails)
      for (const address of to.map(normalOf).filter((one) => source.addresses.has(one))) {
        mails += 1
        messages.add(messageId)
        if (!mailed.has(address)) newsAtMs = performance.now()
        mailed.add(address)
      }
    after = page.mails.at(-1)?.id ?? after
    source.onMailed(mailed.size)
    if (page.next === null && mailed.size < source.addresses.size)
      await delay(pollMs, undefined, { signal: source.signal })
  }
  const missing = [...source.addresses].filter((address) => !mailed.has(address))
  const differences = missing.map((address) => `${address} has an account and no mail`)
  return { mailed: mailed.size, mails, repeated: mails - messages.size, differences }
}

async function mailsAfter(source: InboxSource, after: string): Promise<MailPage> {
  const query = new URLSearchParams({ limit: '1000', ...(after === '' ? {} : { after }) })
  const answer = await reach(source, `/api/mails?${query.toString()}`)
  return (await answer.json()) as MailPage
}

/**
 * Refuses an inbox that cannot hold the mails of a run: it would forget the first before the last has come.
 *
 * @throws MillraceError `settings.invalid`, `service.unavailable`, `service.failed`
 */
export async function assertRoomFor(
  count: number,
  source: Pick<InboxSource, 'inboxUrl' | 'signal'>,
): Promise<void> {
  const { maxMails } = (await (await reach(source, '/api/stats')).json()) as { maxMails: number }
  if (count > maxMails)
    throw new MillraceError(
      'settings.invalid',
      `The inbox keeps ${maxMails} mails, too few for ${count} sign-ups: lower --count, or leave the mails out by --no-inbox`,
    )
}

async function reach(source: Pick<InboxSource, 'inboxUrl' | 'signal'>, path: string): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(source.inboxUrl + path, { signal: source.signal })
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new MillraceError(
      'service.unavailable',
      `There is no inbox at ${source.inboxUrl}: set --inbox-url, or leave the mails out by --no-inbox`,
      { cause },
    )
  }
  if (!answer.ok) throw new MillraceError('service.failed', `The inbox answered ${answer.status}`)
  return answer
}

function normalOf(address: string): string {
  try {
    return normalAddress(address)
  } catch (error) {
    if (error instanceof MillraceError) return ''
    throw error
  }
}
