import path from 'node:path'
import type { ServiceFactory } from '../service-factory.ts'

/** Takes the system's mails and shows them; where SMTP_URL names a provider it just shows what it had. */
export const inboxService: ServiceFactory = {
  name: 'inbox',
  summary: 'an inbox that takes every mail and delivers none, to look at',
  needs: [],
  ports: [{ setting: 'INBOX_PORT', shows: 'Mail inbox' }],
  start: async ({ settings, kit, inboxSmtpPort }) => {
    const { createInbox } = await import('@millrace-app/inbox')
    const { serveHttp } = await import('@millrace/hono')
    const dir = path.resolve(settings.MILLRACE_HOME, 'inbox')
    const inbox = createInbox({ ...kit.http('inbox'), dir, host: '127.0.0.1', smtpPort: inboxSmtpPort })
    await inbox.start()
    const listener = await serveHttp(inbox.app, {
      host: settings.HOST,
      port: settings.INBOX_PORT,
      portVariable: 'INBOX_PORT',
    })
    return {
      stop: async () => {
        await listener.stop()
        await inbox.stop()
      },
    }
  },
}
