import { accounts, attemptGapMs } from '@millrace/accounts'
import type { EventLog, Recorded } from '@millrace/log'

/** Reads all events of an account, from its first. */
export async function accountStory(
  log: Pick<EventLog, 'readKey'>,
  accountId: string,
): Promise<readonly Recorded[]> {
  const events: Recorded[] = []
  for (;;) {
    const page = await log.readKey(accounts, accountId, { afterVersion: events.length })
    events.push(...page.events)
    if (page.events.length === 0 || events.length >= page.version) return events
  }
}

/** The name that the account was opened with. */
export function nameIn(story: readonly Recorded[]): string {
  return textOf(
    story.find(({ event }) => event.type === 'AccountCreated'),
    'username',
  )
}

/** Whether an address came to the account by a change, as far as the story goes up to a position. */
export function cameByChange(story: readonly Recorded[], email: string, seq: number): boolean {
  const last = story.findLast(
    (one) =>
      one.position.seq <= seq &&
      (one.event.type === 'EmailChanged' || one.event.type === 'AccountCreated') &&
      textOf(one, 'email') === email,
  )
  return last?.event.type === 'EmailChanged'
}

/**
 * Whether the owner is to hear of an attempt to sign up with his address: at most once an hour, counted by the times
 * of the events, so that the log itself is the memory and no crash forgets it. After a long outage only the latest of
 * those in the backlog is sent: they say the same.
 */
export function isHeard(story: readonly Recorded[], seq: number): boolean {
  let heard: { readonly seq: number; readonly atMs: number } | undefined
  for (const { event, position } of story) {
    if (event.type !== 'SignUpAttempted') continue
    const atMs = Date.parse(event.time)
    if (heard === undefined || atMs - heard.atMs >= attemptGapMs) heard = { seq: position.seq, atMs }
  }
  return heard?.seq === seq
}

function textOf(recorded: Recorded | undefined, field: 'username' | 'email'): string {
  const data = recorded?.event.data
  const value =
    typeof data === 'object' && data !== null ? Object.entries(data).find(([name]) => name === field) : []
  return typeof value?.[1] === 'string' ? value[1] : ''
}
