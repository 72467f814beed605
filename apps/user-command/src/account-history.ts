import { type Account, accounts, foldAccount } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { EventLog, Position, Recorded } from '@millrace/log'

/** An account with the events that tell it. */
export interface AccountHistory {
  readonly account: Account | undefined
  readonly events: readonly Recorded[]
  /** Events that the key has. */
  readonly version: number
}

/** The part of the log that user-command reads. */
export type ReadableLog = Pick<EventLog, 'readKey' | 'readAt'>

// Limits keep accounts at a few dozen events; beyond this something is wrong, and folding would block others.
const mostEvents = 10_000

/** Reads all events of an account and folds them. */
export async function readAccount(log: ReadableLog, accountId: string): Promise<AccountHistory> {
  const events: Recorded[] = []
  for (;;) {
    const part = await log.readKey(accounts, accountId, { afterVersion: events.length })
    if (part.version > mostEvents)
      throw new MillraceError('log.corrupt', `Account ${accountId} has ${part.version} events`)
    events.push(...part.events)
    if (events.length >= part.version || part.events.length === 0)
      return { account: foldAccount(events.map(({ event }) => event)), events, version: events.length }
  }
}

/** The correlation id under which an event was written; the request's own when it cannot be read any more. */
export async function correlationAt(log: ReadableLog, position: Position, own: string): Promise<string> {
  return (await log.readAt(accounts, position))?.event.correlationid ?? own
}
