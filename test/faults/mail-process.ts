import { accountLinks, createMailService } from '@millrace-app/mail'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { createMailDelivery, createMailSender } from '@millrace/smtp'

/** What the mail process is to do. */
export interface MailOrder {
  readonly redisUrl: string
  readonly smtpUrl: string
  readonly leaseMs: number
  /** What it is called, when it takes the place of one that has ended. */
  readonly name?: string
}

/** What it says of itself: its leases, and why it lost them. */
export interface MailWord {
  readonly kind: 'leased' | 'ended'
  readonly partition: number
  readonly reason?: string
}

// The mail service as a process of its own, to be killed and paused.
process.once('message', (order: MailOrder) => void run(order))

async function run({ redisUrl, smtpUrl, leaseMs, name }: MailOrder): Promise<void> {
  const log = await connectLog({ url: redisUrl })
  const groups = await connectGroupStore({ url: redisUrl })
  const service = createMailService({
    log,
    groups,
    delivery: createMailDelivery(createMailSender(smtpUrl, { address: 'hello@millrace.test' })),
    links: accountLinks({ key: Buffer.alloc(32, 7), publicUrl: 'http://127.0.0.1:3000' }),
    mails: {
      product: { name: 'Millrace', url: 'http://127.0.0.1:3000' },
      messageIdHost: 'mail.millrace.test',
    },
    bounds: { leaseMs },
    ...(name === undefined ? {} : { freshName: () => name }),
    observe: (event) => {
      if (event.kind === 'leased') say({ kind: 'leased', partition: event.partition })
      if (event.kind === 'ended') say({ kind: 'ended', partition: event.partition, reason: event.reason })
    },
  })
  await service.start()
}

function say(word: MailWord): void {
  // Nobody may be left to hear it.
  process.send?.(word, () => undefined)
}
