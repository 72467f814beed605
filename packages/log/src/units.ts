import { type Event, limits, MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import type { AppendUnit, ChannelBatch, ClaimChange, Fence } from './append.ts'

/**
 * The key of a unit, after a check that its events belong together.
 *
 * @throws MillraceError `event.invalid`
 */
export function keyOfUnit(unit: AppendUnit): string {
  const { events } = unit
  const key = events[0]?.subject
  if (key === undefined) throw new MillraceError('event.invalid', 'A unit has at least one event')
  if (events.length > 1) assertTogether(events, key)
  if (unit.fingerprint !== undefined && !fingerprintText.test(unit.fingerprint))
    throw new MillraceError(
      'event.invalid',
      'A fingerprint is 1 to 256 printable ASCII characters, no blanks',
    )
  if (unit.claims) assertClaims(unit.claims)
  return key
}

function assertTogether(events: readonly Event[], key: string): void {
  const ids = new Set<string>()
  for (const event of events) {
    if (event.subject !== key)
      throw new MillraceError('event.invalid', 'The events of a unit belong to one key')
    ids.add(identity(event))
  }
  if (ids.size !== events.length) throw new MillraceError('event.invalid', 'A unit holds an event twice')
}

const fingerprintText = /^[!-~]{1,256}$/

// Names and digests are joined by ':', ',' and blanks where they are stored; with one of those inside, a claim
// could be taken for another, or be freed in pieces.
const constraintName = /^[a-z0-9][\w.-]{0,127}$/i
const versionName = /^[\w.-]{1,32}$/
const digestText = /^[\w+/=.@-]{1,256}$/

function assertClaims(claims: readonly ClaimChange[]): void {
  for (let at = 0; at < claims.length; at++) {
    const { constraint, digests } = claims[at] as ClaimChange
    if (!constraintName.test(constraint))
      throw new MillraceError('event.invalid', `"${constraint}" is no name of a constraint`)
    if (at > 0 && claims.findIndex((other) => other.constraint === constraint) < at)
      throw new MillraceError('event.invalid', 'A unit names a constraint twice')
    for (const version in digests)
      if (!versionName.test(version) || !digestText.test(digests[version] ?? ''))
        throw new MillraceError('event.invalid', `Constraint ${constraint} has a digest of the wrong form`)
  }
}

/** What dedupe compares: source and id; a source has no white space, so the pair is unambiguous. */
export function identity(event: Event): string {
  return `${event.source} ${event.id}`
}

/**
 * Checks a channel batch: one partition, counted from 1, within the limits.
 *
 * @throws MillraceError `event.invalid`, `append.limit`
 */
export function checkChannelBatch(topic: Topic, batch: ChannelBatch): void {
  if (batch.events.length === 0 && batch.mark === undefined)
    throw new MillraceError('event.invalid', 'A channel batch has at least one event, or a mark')
  if (batch.events.length > limits.appendEvents)
    throw new MillraceError('append.limit', `A channel batch has at most ${limits.appendEvents} events`)
  if (!isShortText(batch.channel, 128) || batch.channel === '' || batch.channel.startsWith('fence:'))
    throw new MillraceError(
      'event.invalid',
      'The name of a channel is a text of 1 to 128 characters that does not begin with fence:',
    )
  if (batch.fence) checkFence(batch.fence)
  if (batch.mark !== undefined && !isShortText(batch.mark, 1_024))
    throw new MillraceError('event.invalid', 'A mark is a text of at most 1024 characters')
  if (!Number.isSafeInteger(batch.first + batch.events.length) || batch.first < 1)
    throw new MillraceError('event.invalid', 'A channel counts from 1')
  if (!Number.isSafeInteger(batch.incarnation) || batch.incarnation < 0)
    throw new MillraceError('event.invalid', 'An incarnation is a whole number')
  for (const event of batch.events)
    if (partitionOfKey(topic, event.subject) !== batch.partition)
      throw new MillraceError(
        'event.invalid',
        `The key of event ${event.id} does not belong to partition ${batch.partition}`,
      )
}

/**
 * Checks the form of a fence.
 *
 * @throws MillraceError `event.invalid`
 */
export function checkFence({ name, token }: Fence): void {
  if (!isShortText(name, 100) || name === '')
    throw new MillraceError('event.invalid', 'The name of a fence is a text of 1 to 100 characters')
  if (!/^\d{1,15}-[\w-]{1,64}$/.test(token))
    throw new MillraceError('event.invalid', 'The token of a fence is a counter, a dash and a nonce')
}

/** The counter of a fence's token. */
export function counterOf(token: string): number {
  return Number(token.slice(0, token.indexOf('-')))
}

// Half a surrogate pair cannot be written as UTF-8.
function isShortText(text: string, most: number): boolean {
  return text.length <= most && text.isWellFormed()
}
