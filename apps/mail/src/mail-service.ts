import { accounts } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import {
  type ConsumerEvent,
  type ConsumerHealth,
  type EngineBounds,
  type FailureKind,
  type GroupStore,
  kindOfFailure,
  type MemberList,
  processor,
  run,
  type Running,
} from '@millrace/processor'
import type { RetryClock } from '@millrace/retry'
import { type DeliveryStatus, type MailDelivery, mailFailureOf } from '@millrace/smtp'
import type { AccountMailSettings } from './account-mail.ts'
import { createAccountMailer, failureKindOf } from './account-mailer.ts'
import type { MailLinks } from './mail-links.ts'
import { mailedTypes, mailOfEvent } from './mail-of-event.ts'

/** What {@link createMailService} needs. */
export interface MailServiceOptions {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'appendChannel' | 'channel'>
  readonly groups: GroupStore
  /** The way to the provider; the service stops it at its own stop. */
  readonly delivery: MailDelivery
  readonly mails: AccountMailSettings
  readonly links: MailLinks
  /** The list by which several instances share the work. Default: none; who asks first for a free partition has it. */
  readonly members?: MemberList
  /** What this instance is called in the group's records. */
  readonly member?: string
  /** Makes the part of that name which nobody else has. Default: a fresh id. */
  readonly freshName?: () => string
  /** Says when parked mails are due. Its owner closes it, after the stop. Default: one in memory. */
  readonly retryClock?: RetryClock
  /** Hears of lag, progress and failures; must not throw. */
  readonly observe?: (event: ConsumerEvent) => void
  readonly bounds?: Partial<EngineBounds>
}

/** How the service is: of its loop and of the provider. */
export interface MailHealth {
  readonly state: ConsumerHealth['state']
  readonly message: string
  readonly consumer: ConsumerHealth
  readonly provider: DeliveryStatus
}

/** The service that sends the mails which the events of the accounts ask for. */
export interface MailService {
  /** Mails that a crash can repeat at most, with the same Message-ID, for each partition. */
  readonly repeatsAtMost: number
  start(): Promise<void>
  stop(): Promise<void>
  health(): MailHealth
}

const mailBounds = {
  // Of each partition; the way to the provider has limits of its own.
  atOnce: 8,
  // Mails that the provider takes within that time share a commit.
  commitMs: 50,
  uncommitted: 18,
  window: 500,
  // One mail of an account at a time is all that is handed over: a stop sends no more, a crash repeats no more.
  laneWindow: 1,
  // A mail that its receiver puts off is asked for again for about four hours, then it is a dead letter.
  attempts: 24,
  retry: { firstMs: 5_000, maxMs: 900_000 },
  // Delivery has limits of its own, and waits for hours when the provider is away.
  handlerTimeoutMs: Number.POSITIVE_INFINITY,
  // Longer than a provider may take for its answer: a slow one is no reason to give the lease away.
  stalledMs: 180_000,
  stopMs: 2_500,
} as const satisfies Partial<EngineBounds>

/**
 * Follows the accounts as the group `mail` and sends at least one mail for each event that asks for one. It does so in
 * the handler, before the commit that settles the event: what a crash between the two repeats is the same mail, with the
 * Message-ID that the event's id makes. An effect would cost a second round trip and could repeat just as well. While the
 * breaker is open the group is paused: no attempts are spent, and the backlog goes out in order afterwards. An address
 * that is refused for good becomes a dead letter with the provider's masked answer; others go on.
 */
export function createMailService(options: MailServiceOptions): MailService {
  const { log, groups, delivery, links, members, member, freshName, retryClock, observe } = options
  const mailer = createAccountMailer(delivery, options.mails)
  const bounds = { ...mailBounds, ...options.bounds }
  const mail = processor('mail', accounts, {
    types: mailedTypes,
    onExhausted: 'skip-event',
    handle: async (event, context) => {
      const { position, signal } = context
      const request = await mailOfEvent({ event, position }, log, links)
      if (!request) return
      let sends = 1
      const { messageId } = await mailer.send(request, signal, (error, tookMs) => {
        context.note(`send ${sends} failed: ${inWords(error)}`, { tookMs: Math.round(tookMs) })
        sends += 1
      })
      context.note(`send ${sends}: the provider has taken the ${request.kind} mail`, { messageId })
    },
  })
  let starting: Promise<Running> | undefined
  let running: Running | undefined
  return {
    repeatsAtMost: bounds.uncommitted,
    start: async () => {
      starting ??= run(mail, {
        ...bounds,
        log,
        store: groups,
        kindOf,
        gate: delivery.gate,
        ...(members === undefined ? {} : { members }),
        ...(member === undefined ? {} : { member }),
        ...(freshName === undefined ? {} : { freshName }),
        ...(retryClock === undefined ? {} : { retryClock }),
        ...(observe === undefined ? {} : { observe }),
      })
      running = await starting
    },
    stop: async () => {
      await (await starting)?.stop()
      await delivery.stop()
    },
    health: () => healthOf(running?.health(), delivery.status()),
  }
}

function inWords(error: unknown): string {
  const code = error instanceof MillraceError ? `${error.code}: ` : ''
  return code + (error instanceof Error ? error.message : String(error))
}

function kindOf(error: unknown): FailureKind {
  const failure = mailFailureOf(error)
  // While the provider is away, delivery waits. What it gives up with that scope it has put off because others got
  // through: it is this mail that the provider chokes on, so its attempts count.
  if (failure)
    return failure.scope === 'provider' && failure.code !== 'mail.refused' ? 'retry' : failureKindOf(error)
  // The log could not be asked: no mail was tried.
  if (error instanceof MillraceError && error.retryable) return 'wait'
  return kindOfFailure(error)
}

function healthOf(consumer: ConsumerHealth | undefined, provider: DeliveryStatus): MailHealth {
  const loop = consumer ?? { state: 'down', message: 'has not started', paused: false, partitions: [] }
  const away = provider.state !== 'closed'
  const words = away ? [`the provider is away (breaker ${provider.state})`, loop.message] : [loop.message]
  return {
    state: loop.state === 'ok' && away ? 'degraded' : loop.state,
    message: words.join('; '),
    consumer: loop,
    provider,
  }
}
