import { MillraceError } from '@millrace/event'
import { type HttpAppOptions, type KitEnv, knownHosts } from '@millrace/hono'
import type { Hono } from 'hono'
import { inboxApp } from './inbox-app.ts'
import { MailStore } from './mail-store.ts'
import { type SmtpReceiver, startSmtpReceiver } from './smtp-receiver.ts'

export interface InboxOptions extends Pick<HttpAppOptions, 'logger' | 'context' | 'meter'> {
  /** Where the mails are kept, one `.eml` each. Made when it is not there. */
  readonly dir: string
  /** Where SMTP is listened on. Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly smtpPort?: number
  /** Beyond this many the oldest are removed. Default 5,000. */
  readonly maxMails?: number
  /** Bytes of one mail; larger ones are refused. Default 5 MB. */
  readonly maxMailBytes?: number
  /** Bytes of all mails; beyond them the oldest are removed. Default 500 MB. */
  readonly maxTotalBytes?: number
  /**
   * Host names under which the pages answer, beside this machine's own. Default: none more, or any when
   * `host` is not loopback (then the machine's names are not known here).
   */
  readonly hosts?: readonly string[]
}

/** An inbox to look at: takes every mail, delivers none. For development and tests. */
export interface Inbox {
  /** For the sender of mails, such as `smtp://127.0.0.1:41234`. Known after `start`. */
  readonly smtpUrl: string
  /** Pages and JSON, to be served by the caller after `start`. */
  readonly app: Hono<KitEnv>
  start(): Promise<void>
  /** Stops taking mails; the app can still show what is there. */
  stop(): Promise<void>
}

const inboxDefaults = {
  host: '127.0.0.1',
  smtpPort: 0,
  maxMails: 5_000,
  maxMailBytes: 5_000_000,
  maxTotalBytes: 500_000_000,
} as const

export function createInbox(options: InboxOptions): Inbox {
  const { host, smtpPort, maxMails, maxMailBytes, maxTotalBytes, dir } = { ...inboxDefaults, ...options }
  const store = new MailStore(dir, { maxMails, maxTotalBytes })
  let receiver: SmtpReceiver | undefined

  const smtpUrl = (): string => {
    if (receiver === undefined) throw new MillraceError('internal', 'The inbox has not been started')
    return receiver.url
  }
  const { logger, context, meter } = options
  const kit = meter === undefined ? { logger, context } : { logger, context, meter }
  return {
    get smtpUrl() {
      return smtpUrl()
    },
    app: inboxApp({ ...kit, store, smtpUrl, maxMails, hosts: knownHosts(host, options.hosts) }),
    async start() {
      await store.open()
      receiver = await startSmtpReceiver({
        host,
        port: smtpPort,
        maxMailBytes,
        maxConnections: 100,
        onMail: (envelope, raw) => store.add(envelope, raw),
      })
      logger.info('The inbox takes mail', { url: receiver.url, count: store.mails.length })
    },
    async stop() {
      await receiver?.stop()
    },
  }
}
