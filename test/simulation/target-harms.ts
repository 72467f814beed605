import { channelOf, type Commit, type GroupPartition, type OutboxDraft } from '@millrace/processor'
import type { Redis } from 'ioredis'
import { Keys } from '../../packages/redis/src/keys.ts'
import type { NearLog } from './near-log.ts'
import type { Harm } from './simulated-server.ts'

/** One partition of a target, whose keys can be meddled with. */
interface TargetPlace {
  readonly redis: Redis
  readonly log: string
  readonly meta: string
  readonly channels: string
  /** The index of a key that is emitted to. */
  readonly index: string
  /** Field of the group's channel. */
  readonly channel: string
}

type Spoil = (place: TargetPlace) => Promise<unknown>

const foreign =
  (name: 'meta' | 'channels' | 'index'): Spoil =>
  ({ redis, [name]: key }) =>
    redis.set(key, 'foreign')

/** What keeps a commit from appending to a partition of its target at once. */
const spoils: Readonly<Record<string, Spoil>> = {
  'the meta of a target is of a foreign type': foreign('meta'),
  'the channels of a target are of a foreign type': foreign('channels'),
  'the key index of a target is of a foreign type': foreign('index'),
  'a target has an entry that nobody counted': async ({ redis, log, meta }) => {
    const entries = await redis.xlen(log)
    if (entries > 0) await redis.hset(meta, 'ord', entries - 1)
    else await redis.xadd(log, '1-1', 'who', 'else')
  },
  'the log of a target has ended later': async ({ redis, log }) => {
    const id = await redis.xadd(log, '99999999999999-1', 'who', 'else')
    await redis.xdel(log, id ?? '')
  },
  'the channel of a target is of a later incarnation': async ({ redis, channels, channel }) => {
    const [, last = 0, mark = ''] = JSON.parse((await redis.hget(channels, channel)) ?? '[]') as unknown[]
    await redis.hset(channels, channel, JSON.stringify([2, last, mark]))
  },
}

/** Harms of the partitions that commits append to at once: their events go through the outbox then, on both sides. */
export function targetHarms(redis: Redis, near: NearLog): readonly Harm[] {
  return Object.entries(spoils).map(([name, spoil]) => ({
    name,
    concerns: (what, content) => what.startsWith('commit') && draftsOf(content).length > 0,
    during: async (at, act, content) => {
      const draft = draftsOf(content)[0]
      if (!draft?.target) throw new TypeError('It has nothing that is emitted at once')
      near.away.add(draft.partition)
      try {
        await spoiled(placeOf(redis, at, draft), spoil, act)
      } finally {
        near.away.delete(draft.partition)
      }
    },
  }))
}

/** The clock goes back for one call, and nothing may come of it. */
export function clockHarm(setBack: (ms: number) => void): Harm {
  return {
    name: 'the clock goes back',
    concerns: (what, content) => what.startsWith('commit') && draftsOf(content).length > 0,
    during: async (_, act) => {
      setBack(600_000)
      await act()
      setBack(-600_000)
    },
  }
}

async function spoiled(place: TargetPlace, spoil: Spoil, act: () => Promise<void>): Promise<void> {
  const { redis, log, meta, channels, index } = place
  const names = [log, meta, channels, index]
  const kept = await Promise.all(names.map((name) => redis.dumpBuffer(name)))
  await spoil(place)
  await act()
  await redis.del(names)
  for (const [at, name] of names.entries()) {
    const dump = kept[at]
    if (dump) await redis.restore(name, 0, dump)
  }
}

function placeOf(redis: Redis, at: GroupPartition, { target, partition, events }: OutboxDraft): TargetPlace {
  if (!target) throw new TypeError('It is not emitted at once')
  const keys = new Keys()
  const { log, meta, channels } = keys.partition(target, partition)
  const index = keys.keyIndex(target, partition, events[0]?.subject ?? '')
  return { redis, log, meta, channels, index, channel: channelOf(at) }
}

function draftsOf(content: unknown): readonly OutboxDraft[] {
  return ((content as Commit).outbox ?? []).filter(({ target }) => target !== undefined)
}
