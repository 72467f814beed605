import { randomBytes } from 'node:crypto'
import { commitRefused, type GroupStart, type Lease, type Renewal } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'

type Acquired =
  | readonly ['leased', string, string, string, number, string, number, number, 0 | 1]
  | readonly ['held']
  | readonly ['refused', 'beyond' | 'other', number]

/** Takes a lease that is free, lapsed or the member's own. */
export async function acquireLease(
  place: GroupPlace,
  request: {
    readonly member: string
    readonly leaseMs: number
    readonly now: number | undefined
    readonly start: GroupStart | undefined
    /** Whoever holds it. */
    readonly seize?: boolean
  },
): Promise<Lease | undefined> {
  const { member, leaseMs, now, start, seize = false } = request
  const nonce = randomBytes(8).toString('hex')
  const first = start ? [start.id, start.seq, start.withheldTo ?? 0] : ['', '', '']
  const args = [seize ? 'seize' : 'acquire', now ?? '', leaseMs, member, nonce, place.redisGroup, ...first]
  const reply = (await run(place, args)) as Acquired
  switch (reply[0]) {
    case 'held':
      return undefined
    case 'refused':
      throw commitRefused(reply[1], reply[2], start?.id ?? '')
    case 'leased': {
      const [, token, id, seq, n, ahead, tip, withheldTo, began] = reply
      const position = { id, seq: Number(seq) }
      return { token, position, n, ahead: seqsOf(ahead), tip, withheldTo, began: began === 1 }
    }
  }
}

/** Moves the deadline of a lease that is still held. */
export async function renewLease(
  place: GroupPlace,
  request: Pick<Lease, 'token' | 'n'> & { readonly leaseMs: number; readonly now: number | undefined },
): Promise<Renewal> {
  const { token, n, leaseMs, now } = request
  const reply = (await run(place, ['renew', now ?? '', leaseMs, token, n, '', '', '', ''])) as
    | ['renewed', number]
    | ['fenced']
  return reply[0] === 'renewed' ? { status: 'renewed', tip: reply[1] } : { status: 'fenced' }
}

/** Gives a lease back. */
export async function releaseLease(place: GroupPlace, token: string): Promise<'released' | 'fenced'> {
  const [word] = (await run(place, ['release', '', 0, token, '', '', '', '', ''])) as ['released' | 'fenced']
  return word
}

/** Reads a list of sequence numbers as the scripts store it. */
export function seqsOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(',').map(Number)
}

function run({ redis, scripts, names, partition, expireMs }: GroupPlace, args: readonly (string | number)[]) {
  const { group, ...others } = names
  const keys = [group, partition.meta, partition.log]
  if (expireMs !== undefined) keys.push(...Object.values(others))
  return scripts.lease.run(redis, keys, [...args, expireMs ?? ''])
}
