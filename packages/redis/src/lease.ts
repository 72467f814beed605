import { randomBytes } from 'node:crypto'
import type { GroupPartition, Lease, Renewal } from '@millrace/processor'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const script = new Script('lease.lua')

/** Takes a lease that is free, lapsed or the member's own. */
export async function acquireLease(
  redis: Redis,
  keys: Keys,
  at: GroupPartition,
  request: { readonly member: string; readonly leaseMs: number; readonly now: number | undefined },
): Promise<Lease | undefined> {
  const { member, leaseMs, now } = request
  const nonce = randomBytes(8).toString('hex')
  const reply = (await script.run(redis, leaseKeys(keys, at), [
    'acquire',
    now ?? '',
    leaseMs,
    member,
    nonce,
    at.group,
  ])) as ['leased', string, string, string, number, string, number] | ['held']
  if (reply[0] === 'held') return undefined
  const [, token, id, seq, n, ahead, tip] = reply
  return { token, position: { id, seq: Number(seq) }, n, ahead: seqsOf(ahead), tip }
}

/** Moves the deadline of a lease that is still held. */
export async function renewLease(
  redis: Redis,
  keys: Keys,
  at: GroupPartition,
  request: Pick<Lease, 'token' | 'n'> & { readonly leaseMs: number; readonly now: number | undefined },
): Promise<Renewal> {
  const { token, n, leaseMs, now } = request
  const args = ['renew', now ?? '', leaseMs, token, n]
  const reply = (await script.run(redis, leaseKeys(keys, at), args)) as ['renewed', number] | ['fenced']
  return reply[0] === 'renewed' ? { status: 'renewed', tip: reply[1] } : { status: 'fenced' }
}

/** Gives a lease back. */
export async function releaseLease(
  redis: Redis,
  keys: Keys,
  at: GroupPartition,
  token: string,
): Promise<'released' | 'fenced'> {
  const reply = (await script.run(redis, leaseKeys(keys, at), ['release', '', 0, token])) as [
    'released' | 'fenced',
  ]
  return reply[0]
}

/** Reads a list of sequence numbers as the scripts store it. */
export function seqsOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(',').map(Number)
}

function leaseKeys(keys: Keys, at: GroupPartition): readonly string[] {
  const { log, meta } = keys.partition(at.topic, at.partition)
  return [keys.group(at.topic, at.partition, at.group), meta, log]
}
