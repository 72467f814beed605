import { MillraceError, type Topic } from '@millrace/event'
import {
  type AppendResult,
  type AppendUnit,
  type ChannelBatch,
  type ChannelResult,
  type Position,
  seqOf,
} from '@millrace/log'

/** What the append script says of one unit; a number is the key's version after the append. */
export type Verdict = number | ['d', ...string[]] | ['u', string] | Refusal

type Refusal =
  | ['r', 'version', number]
  | ['r', 'claimed', string]
  | ['r', 'owner', string, 'holds' | 'none']
  | ['r', 'keyring', string]
  | ['r', 'fingerprint']
  | ['r', 'partial']
  | ['r', 'gated']

/** What the append script says of a channel batch. */
export type ChannelVerdict =
  | ['a', taken: number, last: string]
  | ['r', 'gap', last: string]
  | ['r', 'stale', last: string, incarnation: string]
  | ['r', 'fenced', last: string]

/** The result of a unit that was not appended. */
export function otherResult(
  verdict: Exclude<Verdict, number>,
  unit: AppendUnit,
  topic: Topic,
  partition: number,
): AppendResult {
  switch (verdict[0]) {
    case 'd': {
      const [, ...ids] = verdict
      return { status: 'duplicate', positions: ids.map((id) => positionAt(topic, partition, id)) }
    }
    case 'u':
      return { status: 'unchanged', position: positionAt(topic, partition, verdict[1]) }
    case 'r':
      return { status: 'refused', error: refusal(verdict, unit) }
  }
}

/** The result of a channel batch. */
export function channelResult(verdict: ChannelVerdict, batch: ChannelBatch): ChannelResult {
  const last = Number(verdict[2])
  if (verdict[0] === 'a') return { status: 'appended', taken: verdict[1], last }
  return { status: 'refused', error: channelRefusal(verdict, batch, last), last }
}

function channelRefusal(
  verdict: Exclude<ChannelVerdict, ['a', ...unknown[]]>,
  { channel, first }: ChannelBatch,
  last: number,
): MillraceError {
  switch (verdict[1]) {
    case 'gap':
      return new MillraceError('append.channel-gap', `Channel ${channel} expects ${last + 1}, not ${first}`)
    case 'stale':
      return new MillraceError('append.channel-stale', `Channel ${channel} has incarnation ${verdict[3]}`)
    case 'fenced':
      return new MillraceError('append.channel-fenced', `Channel ${channel} is fenced off`)
  }
}

function refusal(verdict: Refusal, unit: AppendUnit): MillraceError {
  switch (verdict[1]) {
    case 'version':
      return new MillraceError(
        'append.version',
        `The key has ${verdict[2]} events, not ${unit.expectedVersion}`,
        { details: { version: verdict[2] } },
      )
    case 'claimed': {
      const field = fieldOf(unit, verdict[2])
      return new MillraceError('append.claimed', `The ${field} is taken`, {
        details: { constraint: verdict[2], field },
      })
    }
    case 'owner': {
      const why =
        verdict[3] === 'holds'
          ? 'The key holds this claim already'
          : 'The key holds no claim of this constraint'
      return new MillraceError('append.not-owner', why, {
        details: { constraint: verdict[2], field: fieldOf(unit, verdict[2]) },
      })
    }
    case 'keyring':
      return new MillraceError('append.keyring', `The claim lacks a digest of keyring version ${verdict[2]}`)
    case 'fingerprint':
      return new MillraceError('append.fingerprint')
    case 'partial':
      return new MillraceError('append.partial-duplicate')
    case 'gated':
      return new MillraceError('append.gated')
  }
}

function fieldOf(unit: AppendUnit, constraint: string): string {
  return unit.claims?.find((claim) => claim.constraint === constraint)?.field ?? constraint
}

function positionAt(topic: Topic, partition: number, id: string): Position {
  return { topic: topic.name, partition, id, seq: seqOf(id) }
}
