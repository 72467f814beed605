import { testTopic } from '@millrace/log/contract'
import { type MemberGroup, mostMembers, silentKeptMs } from '@millrace/processor'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { closeConnection, whenReady, writingConnection } from './connection.ts'
import { Keys } from './keys.ts'
import { connectMemberList } from './member-list.ts'
import { callMembers, type MemberCall } from './member.ts'
import { scriptSource } from './script-source.ts'
import { Script } from './script.ts'

let server: TestRedis
let redis: Redis
const keys = new Keys()

beforeAll(async () => {
  server = await startRedis()
  redis = writingConnection({ url: server.url })
  await whenReady(redis)
})
afterAll(async () => {
  await closeConnection(redis)
  await server.stop()
})

const fresh = (): MemberGroup => ({ topic: testTopic({ partitions: 4 }), group: 'readers' })
const beat = (member: string): MemberCall => ({ word: 'heartbeat', member, ttlMs: 1_000, declines: [] })

/** A group's list, with the script that it was given and a clock of its own. */
class Lab {
  readonly at = fresh()
  readonly names = keys.members(this.at.topic, this.at.group)
  readonly #script: Script
  now = 1_000_000

  constructor(source: string) {
    this.#script = new Script('member.lua', source)
  }

  call(call: MemberCall) {
    return callMembers(redis, keys, this.at, call, { now: this.now, script: this.#script })
  }
}

const open = async (source: string) => ({ context: new Lab(source), close: async () => undefined })

describeGuards('member.lua', scriptSource('member.lua'), open, {
  'type of assignment': {
    'a foreign type of the assignment refuses a heartbeat': async (lab) => {
      await redis.set(lab.names.assignment, 'foreign')
      await expect(lab.call(beat('ann'))).rejects.toThrow('WRONGTYPE')
      expect(await redis.exists(lab.names.members)).toBe(0)
    },
  },
  'first heartbeat': {
    'a member keeps the time of its first heartbeat': async (lab) => {
      await lab.call(beat('ann'))
      lab.now += 10
      const { members } = await lab.call(beat('ann'))
      expect(members).toMatchObject([{ sinceMs: 1_000_000, seenMs: 1_000_010 }])
    },
  },
  'silent for too long': {
    'who has been silent for too long is taken out': async (lab) => {
      await lab.call(beat('ann'))
      lab.now += silentKeptMs + 1
      expect((await lab.call(beat('bob'))).members).toMatchObject([{ member: 'bob' }])
    },
  },
  'most members': {
    'a full list takes nobody': async (lab) => {
      const full = Array.from({ length: mostMembers }, (_, index) => [`m${index}`, '1000000 1000000 1000 '])
      await redis.hset(lab.names.members, Object.fromEntries(full) as Record<string, string>)
      await expect(lab.call(beat('late'))).rejects.toMatchObject({ code: 'members.full' })
      expect(await redis.hlen(lab.names.members)).toBe(mostMembers)
    },
  },
  revision: {
    'an assignment made out of an old one changes nothing': async (lab) => {
      await lab.call({ word: 'assign', revision: 0, owners: ['ann'] })
      const { assignment } = await lab.call({ word: 'assign', revision: 0, owners: ['bob'] })
      expect(assignment).toEqual({ revision: 1, owners: ['ann'] })
    },
  },
})

test.each(['members', 'assignment'] as const)(
  'with a foreign type under %s, every call fails and writes nothing',
  async (name) => {
    const lab = new Lab(scriptSource('member.lua'))
    await lab.call(beat('ann'))
    await lab.call({ word: 'assign', revision: 0, owners: ['ann'] })
    await redis.set(lab.names[name], 'foreign')
    const dump = () => Promise.all(Object.values(lab.names).map((key) => redis.dumpBuffer(key)))
    const before = await dump()
    const list = await connectMemberList({ url: server.url })
    const calls = [
      list.heartbeat(lab.at, { member: 'bob', ttlMs: 1_000, declines: [] }),
      list.look(lab.at),
      list.leave(lab.at, 'ann'),
      list.assign(lab.at, { revision: 1, owners: ['bob'] }),
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'log.corrupt' })
    expect(await dump()).toEqual(before)
    await list.close()
  },
)

test('without Redis the list is unavailable, and nothing hangs', async () => {
  const own = await startRedis()
  const list = await connectMemberList({ url: own.url, commandTimeoutMs: 60_000 })
  await own.kill()
  await expect(list.look(fresh())).rejects.toMatchObject({ code: 'members.unavailable', retryable: true })
  await list.close()
  await own.stop()
})
