import { newEvent } from '@millrace/event'
import { createMemoryLog, type EventLog } from '@millrace/log'
import {
  createMemoryGroupStore,
  type GenerationStore,
  type GroupPartition,
  type GroupStore,
} from '@millrace/processor'
import { compareAll } from './compare.ts'
import { LogsOnRedis } from './log/log-on-redis.ts'
import { NearLog } from './near-log.ts'
import { startRedis } from '../support/redis.ts'
import { demand } from './story.ts'
import { seldomSpoilt, spoilt } from './spoilt.ts'
import { builtNames, spoiltForReplays } from './spoilt-generations.ts'
import { clockHarm, targetHarms } from './target-harms.ts'
import { answer, canonical, same, Twins } from './twins.ts'
import { type Harm, type SimulatedServer, watched } from './simulated-server.ts'
import type { Redis } from 'ioredis'
import { closeConnection, whenReady, writingConnection } from '../../packages/redis/src/connection.ts'
import { type GroupScripts, groupScripts } from '../../packages/redis/src/group-scripts.ts'
import { GroupsOnRedis } from '../../packages/redis/src/groups-on-redis.ts'
import { type GroupKeys, Keys, type PartitionKeys, type StoryKeys } from '../../packages/redis/src/keys.ts'
import { connectLog, type RedisLog } from '../../packages/redis/src/redis-log.ts'
import { Script } from '../../packages/redis/src/script.ts'
import { StoriesOnRedis } from '../../packages/redis/src/stories-on-redis.ts'

// What is stored under names that belong together, as one word: KEYS from 3 on. A hash dumps its fields in an order that
// changes by itself, while it grows.
const look = `local texts = {}
  for i = 3, #KEYS do
    if redis.call('TYPE', KEYS[i]).ok == 'hash' then
      local all, fields = redis.call('HGETALL', KEYS[i]), {}
      for j = 1, #all, 2 do fields[#fields + 1] = all[j] .. '=' .. all[j + 1] end
      table.sort(fields)
      texts[#texts + 1] = table.concat(fields, ' ')
    else
      texts[#texts + 1] = redis.call('DUMP', KEYS[i]) or ''
    end
  end
  local word = redis.sha1hex(table.concat(texts, '|'))`
// KEYS[2] holds something foreign instead of what it held; that is kept as KEYS[1].
const spoil = `if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[1]) end
  redis.call('SET', KEYS[2], 'foreign')
  ${look}
  return word`
const mend = `${look}
  redis.call('DEL', KEYS[2])
  if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
  return word`

const untouched = 'a refused call changes nothing'
type Names = GroupKeys & PartitionKeys & StoryKeys
type AnyNames = Readonly<Record<string, string>>

/** Starts a private Redis on a unix socket, for simulations one after the other. */
export async function openRedis(): Promise<{
  readonly redis: Redis
  readonly simulation: RedisSimulation
  readonly logs: LogsOnRedis
  close(): Promise<void>
}> {
  const server = await startRedis({ unixSocket: true })
  const redis = writingConnection({ url: server.url })
  await whenReady(redis)
  const simulation = new RedisSimulation(redis, server.url)
  const logs = new LogsOnRedis(redis, server.url)
  return {
    redis,
    simulation,
    logs,
    close: async () => {
      await simulation.close()
      await logs.close()
      await closeConnection(redis)
      await server.stop()
    },
  }
}

/**
 * A real Redis with the real scripts, and beside it the store in memory: each call goes to both, one after the other,
 * and their answers are compared, token by token.
 */
export class RedisSimulation {
  readonly #redis: Redis
  readonly #url: string
  #log: RedisLog | undefined
  #now = 0

  constructor(redis: Redis, url: string) {
    this.#redis = redis
    this.#url = url
  }

  async close(): Promise<void> {
    await this.#log?.close()
  }

  /** An empty server. @param changed Texts of scripts that are not to run as they are. */
  async fresh(changed: Partial<Record<keyof GroupScripts, string>> = {}): Promise<SimulatedServer> {
    // A log of its own: what one has asked for ahead it would hand out to the next seed, whose ids are the same.
    await this.#log?.close()
    await this.#redis.flushall('SYNC')
    const log = await connectLog({ url: this.#url, now: () => this.#now })
    this.#log = log
    const scripts: Record<keyof GroupScripts, Script> = { ...groupScripts }
    for (const [name, source] of Object.entries(changed))
      scripts[name as keyof GroupScripts] = new Script(`${name}.lua`, source)
    const now = () => this.#now
    const memoryLog = createMemoryLog({ clock: { now } })
    const near = new NearLog(memoryLog)
    const memory = createMemoryGroupStore({ log: memoryLog, atOnce: near.log, clock: { now } })
    // Everything is in reach on a server of its own.
    const real = new GroupsOnRedis(this.#redis, { now, reach: 'server' }, scripts)
    const place = { redis: this.#redis, scripts, keys: new Keys(), reach: 'server', now } as const
    const stories = new StoriesOnRedis(place)
    const twins = new Twins<GenerationStore>(ordered(memory), ordered(real))
    return {
      log: bothLogs(log, memoryLog),
      store: twins.store,
      stories,
      setTime: (nowMs) => {
        this.#now = nowMs
      },
      harms: this.#harms(twins, near),
      compare: (at) => compareAll(memory, { store: real, stories }, at),
      afterwards: (at) => this.#trimmed(real, at),
    }
  }

  /** Events that are not on the log any more are no place to stand at. */
  async #trimmed(real: GroupStore, at: GroupPartition): Promise<void> {
    const left = (await this.#redis.keys('*')).filter((name) => name.includes(`:${at.group}:`))
    demand(left.length === 0, 'what is given up leaves nothing', () => left.join())
    const { log } = new Keys().partition(at.topic, at.partition)
    const group = { ...at, group: 'afterwards' }
    const lease = await real.acquire(group, 'm', 1_000)
    if (!lease) throw new TypeError('Nobody else holds it')
    const refused = async (what: string, id: string, seq: number) => {
      const rest = { token: lease.token, n: 1, ahead: [], dead: [] }
      const calls = [
        () => real.acquire({ ...at, group: 'late' }, 'm', 1_000, { id, seq }),
        () => real.commit(group, { ...rest, position: { id, seq } }),
      ]
      for (const call of calls) {
        const { code } = await answer(call)
        demand(code === 'commit.refused', 'a position is an event of the log', () => `${what} was taken`)
      }
    }
    const [removed, behind] = [await this.#appended(at), await this.#appended(at)]
    await this.#redis.xdel(log, removed.id)
    await refused('a removed event between others', removed.id, removed.seq)
    await this.#redis.xtrim(log, 'MAXLEN', 0)
    const [ms = ''] = behind.id.split('-')
    await refused('a tip of another time', `${Number(ms) - 1}-${behind.seq}`, behind.seq)
  }

  async #appended({ topic }: GroupPartition): Promise<{ id: string; seq: number }> {
    this.#now += 1
    const event = newEvent(topic, { type: 'Asked', key: 'a', data: {} })
    if (!this.#log) throw new TypeError('There is no log yet')
    const [result] = await this.#log.append(topic, [{ events: [event] }])
    const [position] = result?.status === 'appended' ? result.positions : []
    if (!position) throw new TypeError('The source takes every event')
    return position
  }

  #harms(twins: Twins<GenerationStore>, near: NearLog): readonly Harm[] {
    const keys = new Keys()
    const namesOf = (at: GroupPartition): Names => ({
      ...keys.partition(at.topic, at.partition),
      ...keys.group(at.topic, at.partition, at.group),
      ...keys.story(at.topic, at.partition, at.group),
    })
    return [
      ...spoilt.map(([name, concerns]): Harm => ({
        name: `${name} is of a foreign type for a moment`,
        concerns,
        during: (at, act) => this.#spoiled(twins, { ...namesOf(at) }, name, act),
      })),
      ...seldomSpoilt.map(([name, concerns]): Harm => ({
        name: `${name} is of a foreign type for a moment`,
        rare: true,
        concerns,
        during: (at, act) => this.#spoiled(twins, { ...namesOf(at) }, name, act),
      })),
      ...spoiltForReplays.map(([name, call]): Harm => ({
        name: `${name} is of a foreign type for a moment`,
        rare: true,
        concerns: (what) => what === call,
        during: (at, act, content) =>
          this.#spoiled(twins, { ...namesOf(at), ...builtNames(keys, at, content) }, name, act),
      })),
      ...targetHarms(this.#redis, near),
      clockHarm((ms) => {
        this.#now -= ms
      }),
      {
        name: "somebody removes Redis's own group",
        concerns: (what) => what.startsWith('commit'),
        during: async (at, act) => {
          await this.#redis.xgroup('DESTROY', namesOf(at).log, at.group)
          await act()
        },
      },
    ]
  }

  /** For one call a key holds something foreign: the call does without it, or is refused and nothing is written. */
  async #spoiled(
    twins: Twins<GenerationStore>,
    names: AnyNames,
    name: string,
    act: () => Promise<void>,
  ): Promise<void> {
    const spoilt = names[name]
    if (spoilt === undefined) throw new TypeError(`There is no key ${name}`)
    const keys = [`${spoilt}:aside`, spoilt, ...new Set(Object.values(names))]
    const before = await this.#redis.eval(spoil, keys.length, ...keys)
    const restore = async () => {
      const after = await this.#redis.eval(mend, keys.length, ...keys)
      demand(
        !twins.refused || after === before,
        untouched,
        () => `it was refused because ${name} is foreign, and changed something`,
      )
    }
    await twins.harmed(act, restore)
  }
}

/** Pages of states come in no order. */
function ordered(store: GenerationStore): GenerationStore {
  return watched(store, {
    statesPage: async (at, options) => {
      const { items, next } = await store.statesPage(at, options)
      return { items: items.toSorted((a, b) => (a.key < b.key ? -1 : 1)), next }
    },
  })
}

/** Appends go to both logs; what is read is asked of one of them, in turn. */
function bothLogs(real: RedisLog, memory: EventLog): EventLog {
  let turns = 0
  const either = () => (++turns % 4 === 0 ? real : memory)
  return watched<EventLog>(real, {
    read: (topic, after, options) => either().read(topic, after, options),
    readKey: (topic, key, options) => either().readKey(topic, key, options),
    append: async (topic, units) => {
      const [found, expected] = [await real.append(topic, units), await memory.append(topic, units)]
      demand(canonical(found) === canonical(expected), same, () => 'append differs')
      return found
    },
    appendChannel: async (topic, batch) => {
      const [found, expected] = [
        await real.appendChannel(topic, batch),
        await memory.appendChannel(topic, batch),
      ]
      demand(canonical(found) === canonical(expected), same, () => 'appendChannel differs')
      return found
    },
  })
}
