import type { Account } from './account.ts'

/** How often the link to confirm an address may be asked for. */
export interface LinkMailLimits {
  /** Between two mails, in ms. */
  readonly gapMs: number
  /** Mails in a day, the first one counted; at most 16. */
  readonly mostADay: number
}

/** One a minute, five a day: enough for a slow provider and a filled spam folder, not enough to bother anybody. */
export const linkMailLimits = { gapMs: 60_000, mostADay: 5 } satisfies LinkMailLimits

const dayMs = 86_400_000

/** Milliseconds until the link may be asked for again; 0 when it may be now. */
export function linkMailWaitMs(account: Account, nowMs: number, limits: LinkMailLimits): number {
  const mails = account.linkMailsAtMs
  const last = mails.at(-1) ?? -Infinity
  const dayFull = mails.at(-limits.mostADay) ?? -Infinity
  return Math.max(0, last + limits.gapMs - nowMs, dayFull + dayMs - nowMs)
}

/** The owner of an address hears of attempts to sign up with it at most once in so many ms. */
export const attemptGapMs = 3_600_000

/** Whether the owner has to hear of an attempt to sign up with the address of this account. */
export function attemptIsNews(account: Account, nowMs: number): boolean {
  return account.lastAttempt === undefined || nowMs - account.lastAttempt.atMs >= attemptGapMs
}
