import type { Building, FreezeResult, Lease, StateOfKey, SwitchResult } from '@millrace/processor'
import type { Page } from '@millrace/log'
import type { PageOptions } from '@millrace/processor'
import { randomBytes } from 'node:crypto'
import type { GroupPlace } from './group-place.ts'
import { seqsOf } from './lease.ts'
import { decodeState } from './stored-texts.ts'

type Frozen =
  | readonly ['frozen', string, string, number, number, string, number]
  | readonly ['behind', number]
  | readonly ['fenced']

/** Takes the live lease for the owner of a building generation. */
export async function freezeLive(
  live: GroupPlace,
  built: GroupPlace,
  building: Building,
  request: {
    readonly member: string
    readonly leaseMs: number
    readonly most: number
    readonly now: number | undefined
  },
): Promise<FreezeResult> {
  const { member, leaseMs, most, now } = request
  const nonce = randomBytes(8).toString('hex')
  const keys = [live.names.group, built.names.group, live.partition.meta]
  const args = [now ?? '', leaseMs, member, nonce, building.token, building.n, most]
  const reply = (await live.scripts.freeze.run(live.redis, keys, args)) as Frozen
  switch (reply[0]) {
    case 'frozen': {
      const [, token, id, seq, n, ahead, tip] = reply
      return { status: 'frozen', lease: { token, position: { id, seq }, n, ahead: seqsOf(ahead), tip } }
    }
    case 'behind':
      return { status: 'behind', liveSeq: reply[1] }
    case 'fenced':
      return { status: 'fenced' }
  }
}

/** Puts a building generation into the place of the live one. */
export async function switchToBuilt(
  live: GroupPlace,
  built: GroupPlace,
  lease: Pick<Lease, 'token' | 'n'>,
  building: Building,
): Promise<SwitchResult> {
  const { group, states, timers, journal, ...others } = built.names
  const keys = [
    live.names.group,
    group,
    live.names.states,
    live.names.timers,
    live.names.journal,
    states,
    timers,
    journal,
    ...Object.values(others),
  ]
  const args = [lease.token, lease.n, building.token, building.n, building.generation]
  return { status: (await live.scripts.switch.run(live.redis, keys, args)) as SwitchResult['status'] }
}

/** Removes a building generation. */
export async function dropBuilt(
  { redis, scripts, names }: GroupPlace,
  now: number | undefined,
): Promise<'dropped' | 'held'> {
  const { group, ...others } = names
  const keys = [group, ...Object.values(others)]
  return (await scripts.drop.run(redis, keys, [now ?? ''])) as 'dropped' | 'held'
}

/** Records of keys, as HSCAN finds them. */
export async function statesPage(
  { redis, names }: GroupPlace,
  { after = '0', limit = 500 }: PageOptions,
): Promise<Page<StateOfKey>> {
  const [next, flat] = await redis.hscan(names.states, after, 'COUNT', limit)
  const items = Array.from({ length: flat.length / 2 }, (_, at) => ({
    key: flat[at * 2] ?? '',
    state: decodeState(flat[at * 2 + 1] ?? ''),
  }))
  return { items, next: next === '0' ? undefined : next }
}
