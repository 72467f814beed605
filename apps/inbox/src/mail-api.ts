import { MillraceError } from '@millrace/event'
import { type KitEnv, queryFields } from '@millrace/hono'
import { Hono } from 'hono'
import { z } from 'zod'
import { type MailContent, mailContent } from './mail-content.ts'
import { mailsTo } from './mail-search.ts'
import type { MailStore } from './mail-store.ts'
import { canonicalAddress, type MailSummary } from './stored-mail.ts'

const listQuery = z.strictObject({
  to: z.string().max(320).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  after: z.uuid('must be the id of a mail').optional(),
})

/** Answer of `GET /api/mails`. */
export interface MailList {
  readonly mails: readonly MailSummary[]
  /** The `after` to read on with; null at the end. */
  readonly next: string | null
}

/** Answer of `GET /api/mails/{id}`. */
export type WholeMail = MailSummary & Omit<MailContent, 'readable'>

/** Answer of `GET /api/stats`. */
export interface InboxStats {
  /** Mails that are kept, at most `maxMails`, and their bytes. */
  readonly mails: number
  readonly maxMails: number
  readonly bytes: number
  /** Mails that came since the start. */
  readonly received: number
  /** Different addresses among those kept. */
  readonly recipients: number
  /** Mails among those kept whose Message-ID another had before. */
  readonly repeated: number
}

/** What the inbox may hold, as `/api/stats` says it. */
export interface StatsLimits {
  readonly maxMails: number
}

/** The inbox for programs: tests and demos that look for a mail. */
export function mailApi(store: MailStore, { maxMails }: StatsLimits): Hono<KitEnv> {
  const api = new Hono<KitEnv>()

  // In the order of arrival, so that reading on with `after` misses nothing and repeats nothing.
  api.get('/mails', queryFields(listQuery), (c) => {
    const { to, limit, after } = c.req.valid('query')
    const wanted = to === undefined ? store.mails : mailsTo(store.mails, to)
    const newer = after === undefined ? wanted : wanted.filter(({ id }) => id > after)
    const mails = newer.slice(0, limit)
    const next = newer.length > limit ? (mails.at(-1)?.id ?? null) : null
    return c.json({ mails, next } satisfies MailList)
  })

  api.get('/mails/:id', async (c) => {
    const found = await store.read(c.req.param('id'))
    if (found === undefined) throw new MillraceError('route.unknown', 'There is no such mail')
    const { text, html, links, headers, attachments } = await mailContent(found.raw)
    return c.json({ ...found.summary, text, html, links, headers, attachments } satisfies WholeMail)
  })

  api.get('/stats', (c) => {
    const { mails, bytes, received } = store
    const recipients = new Set(mails.flatMap(({ to }) => to.map(canonicalAddress))).size
    const counts = { recipients, repeated: repeated(mails) }
    return c.json({ mails: mails.length, maxMails, bytes, received, ...counts } satisfies InboxStats)
  })

  api.delete('/mails', async (c) => c.json({ deleted: await store.clear() }))
  return api
}

/** Mails whose Message-ID another mail had before: what an at-least-once sender sent again. */
function repeated(mails: readonly { readonly messageId: string }[]): number {
  const ids = mails.map(({ messageId }) => messageId).filter((id) => id !== '')
  return ids.length - new Set(ids).size
}
