import type { MemoryLog } from '@millrace/log'
import type { Redis } from 'ioredis'
import { Keys } from '../../../packages/redis/src/keys.ts'
import { demand } from '../story.ts'
import type { Twins } from '../twins.ts'
import type { Appending, LogHarm } from './log-server.ts'

const untouched = 'a refused call changes nothing'

/** Names that one call can touch. */
type Names = Readonly<
  Record<'log' | 'meta' | 'ids' | 'idsOld' | 'idsKept' | 'channels' | 'index' | Claims, string>
>
type Claims = 'claims' | 'owners' | 'claimsMeta'

/** What is spoilt, the calls that meet it, and how; by default it is of a foreign type. */
interface Spoil {
  readonly name: string
  readonly key: keyof Names
  concerns(call: Appending): boolean
  spoil?(redis: Redis, names: Names): Promise<unknown>
}

const always = () => true
const withUnits = ({ units }: Appending) => units !== undefined
const withClaims = ({ units = [] }: Appending) => units.some(({ claims = [] }) => claims.length > 0)
const foreign = (key: keyof Names, concerns: Spoil['concerns']): Spoil => ({
  name: `${key} is of a foreign type for a moment`,
  ...{ key, concerns },
})

const spoils: readonly Spoil[] = [
  foreign('meta', always),
  foreign('index', ({ keys }) => keys.length > 0),
  foreign('ids', withUnits),
  foreign('idsOld', withUnits),
  foreign('idsKept', ({ topic, units }) => units !== undefined && topic.placement === 'together'),
  foreign('channels', ({ units }) => units === undefined),
  foreign('claims', withClaims),
  foreign('owners', withClaims),
  foreign('claimsMeta', withClaims),
  {
    ...{ name: 'an entry that nobody counted', key: 'log', concerns: always },
    spoil: async (redis, { log }) => {
      const [entry] = await redis.xrevrange(log, '+', '-', 'COUNT', 1)
      const [ms = '0', seq = '0'] = (entry?.[0] ?? '0-0').split('-')
      await redis.xadd(log, `${ms}-${Number(seq) + 1}`, 'who', 'else')
    },
  },
  {
    ...{ name: 'the log has ended later', key: 'log', concerns: always },
    spoil: async (redis, { log }) => {
      const id = await redis.xadd(log, '99999999999999-1', 'who', 'else')
      await redis.xdel(log, id ?? '')
    },
  },
]

/** Harms of a log on Redis: for one call something is spoilt, so that it does without that, or is refused as a whole. */
export function logHarms(redis: Redis, twins: Twins<MemoryLog>): readonly LogHarm[] {
  return spoils.map((spoil): LogHarm => ({
    name: spoil.name,
    concerns: (call) => spoil.concerns(call),
    during: (call, act) => spoilt(redis, twins, namesOf(call), spoil, act),
  }))
}

async function spoilt(
  redis: Redis,
  twins: Twins<MemoryLog>,
  names: Names,
  { key, name, spoil }: Spoil,
  act: () => Promise<void>,
): Promise<void> {
  const kept = await redis.dumpBuffer(names[key])
  if (spoil) await spoil(redis, names)
  else await redis.set(names[key], 'foreign')
  const before = await dumpsOf(redis, names)
  await twins.harmed(act, async () => {
    const after = await dumpsOf(redis, names)
    demand(
      !twins.refused || before === after,
      untouched,
      () => `it was refused because ${name}, and changed something`,
    )
    await redis.del(names[key])
    if (kept) await redis.restore(names[key], 0, kept)
  })
}

async function dumpsOf(redis: Redis, names: Names): Promise<string> {
  const dumps = await Promise.all(Object.values(names).map((name) => redis.dumpBuffer(name)))
  return dumps.map((dump) => dump?.toString('base64') ?? '').join(' ')
}

function namesOf({ topic, partition, keys }: Appending): Names {
  const all = new Keys()
  const { log, meta, ids, idsOld, idsKept, channels } = all.partition(topic, partition)
  const { claims, owners, claimsMeta } = all.claims(topic, partition)
  const index = all.keyIndex(topic, partition, keys[0] ?? '')
  return { log, meta, ids, idsOld, idsKept, channels, index, claims, owners, claimsMeta }
}
