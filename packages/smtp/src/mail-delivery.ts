import { setTimeout as sleep } from 'node:timers/promises'
import type { MillraceError } from '@millrace/event'
import { ConstantBackoff, handleWhen, retry } from 'cockatiel'
import { type BreakerSettings, type BreakerState, MailBreaker } from './mail-breaker.ts'
import { gaveUp, type MailFailure, mailFailureOf } from './mail-failure.ts'
import type { Mail, MailSender, SendOptions, SendReceipt } from './mail-sender.ts'
import { type GateSettings, ProbeGate, type Turn } from './probe-gate.ts'
import { tracedMail } from './traced-mail.ts'

export interface DeliverySettings extends BreakerSettings, GateSettings {
  /** Attempts that one mail may cost before it is put off. */
  readonly attempts: number
  /** Milliseconds before the second attempt; four times as long before the next. */
  readonly retryMs: number
  /** Milliseconds that a mail is put off for, when the provider names no time. */
  readonly deferMs: number
}

const deliverySettings = {
  failures: 5,
  firstProbeMs: 1_000,
  maxProbeMs: 60_000,
  atOnce: 4,
  probesPerMail: 3,
  attempts: 3,
  retryMs: 1_000,
  deferMs: 60_000,
} as const satisfies DeliverySettings

/** How a mail is to be delivered. */
export interface DeliveryOptions extends SendOptions {
  /** Hears of every try that failed: of this mail, or because the provider is away. */
  readonly onFailed?: (error: unknown, tookMs: number) => void
}

/** Where a mail ended. */
export type DeliveryResult =
  | { readonly outcome: 'sent'; readonly receipt: SendReceipt }
  /** For good: a dead letter; `error.details.answer` says why. */
  | { readonly outcome: 'refused'; readonly error: MillraceError }
  /** Not now: to be delivered again, with the same mail and key, after the time. Others are not affected. */
  | { readonly outcome: 'deferred'; readonly error: MillraceError; readonly retryAfterMs: number }

/** What an operator wants to know of the way to the provider. */
export interface DeliveryStatus {
  readonly state: BreakerState
  /** When the state began, in milliseconds since the epoch. */
  readonly since: number
  /** When the next mail tries, while open. */
  readonly probeAt?: number
  /** Mails that wait for the provider to come back. */
  readonly waiting: number
  readonly lastFailure?: MailFailure
}

/** Whether handing over another mail makes sense now. */
export interface DeliveryGate {
  /** The provider is thought to be there. */
  readonly open: boolean
  /**
   * Resolves when it is open, or when a mail is wanted for a probe and none waits; the next mail is the
   * probe then. Rejects with `mail.temporary` when given up.
   */
  opened(signal?: AbortSignal): Promise<void>
}

/** A mail sender behind a circuit breaker, with retries: what a consumer of events calls. */
export interface MailDelivery {
  readonly state: BreakerState
  status(): DeliveryStatus
  onStateChange(listener: (state: BreakerState, previous: BreakerState) => void): () => void
  /** For a consumer that hands nothing over while the provider is away. */
  readonly gate: DeliveryGate
  /**
   * Delivers one mail. Waits, for hours if need be, while the provider is away, without spending attempts.
   * Rejects only when given up by the signal or a stop; then the mail counts as not sent.
   */
  deliver(mail: Mail, options: DeliveryOptions): Promise<DeliveryResult>
  /** Lets go of whoever waits, and stops the sender. */
  stop(): Promise<void>
}

export function createMailDelivery(
  sender: MailSender,
  options: Partial<DeliverySettings> = {},
): MailDelivery {
  const settings = { ...deliverySettings, ...options }
  const breaker = new MailBreaker(settings)
  const gate = new ProbeGate(breaker, settings)
  const stopping = new AbortController()
  let since = Date.now()
  breaker.onStateChange(() => (since = Date.now()))

  // Cockatiel counts and gives up; the pause is ours, as a stop must be able to end it.
  const retrying = retry(
    handleWhen((error) => isWorthRepeating(error, settings)),
    { maxAttempts: settings.attempts - 1, backoff: new ConstantBackoff(0) },
  )

  async function deliver(
    mail: Mail,
    { idempotencyKey, signal, onFailed }: DeliveryOptions,
  ): Promise<DeliveryResult> {
    const until = signal === undefined ? stopping.signal : AbortSignal.any([stopping.signal, signal])
    const options = signal === undefined ? { idempotencyKey } : { idempotencyKey, signal }
    const send = () => heard(() => tracedMail(mail, () => sender.send(mail, options)), onFailed)
    const turn = gate.turn()
    let last: MailFailure | undefined
    try {
      const receipt = await retrying.execute(async ({ attempt }) => {
        if (attempt > 0) await pause(retryDelayMs(attempt, last, settings), until)
        try {
          return await oneAttempt(send, turn, until)
        } catch (error) {
          last = mailFailureOf(error)
          throw error
        }
      })
      return { outcome: 'sent', receipt }
    } catch (error) {
      return resultOf(error, settings)
    } finally {
      turn.end()
    }
  }

  /**
   * Goes on until the failure says something about this mail. A provider that is away costs nothing; but
   * when others got through since this mail failed before, it is the mail that the provider chokes on.
   */
  async function oneAttempt(send: () => Promise<SendReceipt>, turn: Turn, until: AbortSignal) {
    let answered: number | undefined
    for (;;) {
      await turn.ready(until)
      const attempt = await breaker.attempt(send)
      if (attempt.kind === 'failed') holdAfter(attempt.failure)
      turn.tried()
      if (attempt.kind === 'done') return attempt.value
      if (attempt.kind === 'not-allowed') continue
      const { failure } = attempt
      const away = failure?.code === 'mail.temporary' && failure.scope === 'provider'
      if (!away || (answered !== undefined && breaker.answered > answered)) throw attempt.error
      answered = breaker.answered
    }
  }

  // Before the breaker opens: a short pause for all, so that the oldest mail goes first afterwards.
  function holdAfter(failure: MailFailure | undefined): void {
    if (failure?.scope !== 'provider' || breaker.state !== 'closed') return
    gate.hold(holdMs(breaker.failuresInRow, failure, settings))
  }

  function status(): DeliveryStatus {
    const { probeAt } = gate
    const { lastFailure } = breaker
    return {
      state: breaker.state,
      since,
      waiting: gate.waiting,
      ...(probeAt === undefined ? {} : { probeAt }),
      ...(lastFailure === undefined ? {} : { lastFailure }),
    }
  }

  return {
    get state() {
      return breaker.state
    },
    status,
    onStateChange: (listener) => breaker.onStateChange(listener),
    gate: {
      get open() {
        return breaker.state === 'closed'
      },
      opened: (signal) => gate.allowed(signal),
    },
    deliver,
    async stop() {
      gate.stop()
      stopping.abort()
      await sender.stop()
    },
  }
}

/** Tells of a try that fails, with how long it took. */
async function heard(
  send: () => Promise<SendReceipt>,
  onFailed: DeliveryOptions['onFailed'],
): Promise<SendReceipt> {
  const from = performance.now()
  try {
    return await send()
  } catch (error) {
    onFailed?.(error, performance.now() - from)
    throw error
  }
}

function isWorthRepeating(error: unknown, { maxProbeMs }: DeliverySettings): boolean {
  const failure = mailFailureOf(error)
  if (failure === undefined || failure.code === 'mail.refused' || failure.scope === 'local') return false
  return (failure.retryAfterMs ?? 0) <= maxProbeMs
}

function retryDelayMs(attempt: number, last: MailFailure | undefined, settings: DeliverySettings): number {
  return Math.max(settings.retryMs * 4 ** (attempt - 1), last?.retryAfterMs ?? 0)
}

function holdMs(
  inRow: number,
  { retryAfterMs }: MailFailure,
  { firstProbeMs, maxProbeMs }: DeliverySettings,
) {
  const growing = (firstProbeMs / 4) * 2 ** Math.min(inRow - 1, 30)
  return Math.min(Math.max(growing, retryAfterMs ?? 0), maxProbeMs)
}

function resultOf(error: unknown, { deferMs }: DeliverySettings): DeliveryResult {
  const failure = mailFailureOf(error)
  if (failure === undefined || failure.scope === 'local') throw error
  const known = error as MillraceError
  if (failure.code === 'mail.refused') return { outcome: 'refused', error: known }
  return { outcome: 'deferred', error: known, retryAfterMs: failure.retryAfterMs ?? deferMs }
}

async function pause(delayMs: number, until: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal: until })
  } catch {
    // Only an abort ends a sleep.
    throw gaveUp('aborted')
  }
}
