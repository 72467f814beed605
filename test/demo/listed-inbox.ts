import { httpApp, serveHttp } from '@millrace/hono'
import { quietHttp } from '../gateway/real-services.ts'

/** A mail as `/api/mails` of the inbox lists it. */
export interface ListedMail {
  readonly id: string
  readonly to: readonly string[]
  readonly messageId: string
}

/** The inbox's interface for programs, over a list that the test makes. */
export async function startListedInbox(
  mails: () => Promise<readonly ListedMail[]>,
  maxMails = 5_000,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const app = httpApp(quietHttp)
  app.get('/api/stats', async (c) => c.json({ mails: (await mails()).length, maxMails }))
  app.get('/api/mails', async (c) => {
    const all = await mails()
    const from = all.findIndex(({ id }) => id === c.req.query('after')) + 1
    const page = all.slice(from, from + Number(c.req.query('limit')))
    return c.json({ mails: page, next: from + page.length < all.length ? (page.at(-1)?.id ?? null) : null })
  })
  return serveHttp(app, { port: 0 })
}
