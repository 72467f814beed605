import { testTopic } from '@millrace/log/contract'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect } from 'vitest'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { Keys } from './keys.ts'
import { Script } from './script.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

/** A partition with three events in two entries (1 and 2 at ms 10, 3 at ms 20), and a group that `one` leases. */
class Group {
  readonly redis: Redis
  readonly #script: Script
  readonly names: { group: string; meta: string; log: string; dead: string }
  token = '1-first'

  constructor(redis: Redis, script: Script) {
    this.redis = redis
    this.#script = script
    const topic = testTopic({ partitions: 1 })
    const keys = new Keys()
    const { log, meta } = keys.partition(topic, 0)
    this.names = { log, meta, group: keys.group(topic, 0, 'readers'), dead: keys.dead(topic, 0, 'readers') }
  }

  async prepare(): Promise<void> {
    const { log, meta, group } = this.names
    await this.redis.xadd(log, '10-2', 'e', '[{},{}]', 'n', '1 2')
    await this.redis.xadd(log, '20-3', 'e', '[{}]', 'n', '2 1')
    await this.redis.hset(meta, { seq: 3, ms: 20, ord: 2 })
    await this.redis.xgroup('CREATE', log, 'readers', '0')
    await this.redis.hset(group, { counter: 1, token: this.token, member: 'one', until: 1_000, n: 4 })
  }

  lease(...args: readonly (string | number)[]): Promise<unknown> {
    const { group, meta, log } = this.names
    return this.#script.run(this.redis, [group, meta, log], args)
  }

  commit(id: string, given: { token?: string; n?: number; dead?: string } = {}): Promise<unknown> {
    const { group, meta, log, dead } = this.names
    const { token = this.token, n = 5, dead: letters = '[]' } = given
    const seq = id.split('-')[1] ?? ''
    return this.#script.run(this.redis, [group, meta, log, dead], [token, n, id, seq, '', letters, 'readers'])
  }
}

const openWith = (file: string) => async (source: string) => {
  const redis = new Redis(server?.url ?? '')
  await redis.script('LOAD', source)
  const context = new Group(redis, new Script(file, source))
  await context.prepare()
  return { context, close: async () => redis.disconnect() }
}

describeGuards('lease.lua', scriptSource('lease.lua'), openWith('lease.lua'), {
  'lease type of meta': {
    'nobody gets a lease on a partition whose meta is foreign': async (group) => {
      await group.redis.set(group.names.meta, 'foreign')
      await expect(group.lease('acquire', 5_000, 100, 'two', 'x', 'readers')).rejects.toThrow('WRONGTYPE')
    },
  },
  'live holder': {
    'a lease is not taken from a live holder': async (group) => {
      expect(await group.lease('acquire', 999, 100, 'two', 'x', 'readers')).toEqual(['held'])
    },
  },
  'lease token': {
    'another token does not renew': async (group) => {
      expect(await group.lease('renew', 500, 100, '1-other', 4)).toEqual(['fenced'])
    },
    'another token does not release': async (group) => {
      expect(await group.lease('release', '', 0, '1-other')).toEqual(['fenced'])
    },
    'a released lease is not renewed by anybody': async (group) => {
      await group.lease('release', '', 0, group.token)
      expect(await group.lease('renew', 500, 100, '', 4)).toEqual(['fenced'])
    },
  },
  'renewal number': {
    'a member that does not know of the last commit does not renew': async (group) => {
      expect(await group.lease('renew', 500, 100, group.token, 3)).toEqual(['fenced'])
    },
  },
})

describeGuards('commit.lua', scriptSource('commit.lua'), openWith('commit.lua'), {
  'type of dead': {
    'letters that cannot be written leave the position alone': async (group) => {
      await group.redis.set(group.names.dead, 'foreign')
      await expect(group.commit('20-3', { dead: '[3,"{}"]' })).rejects.toThrow('WRONGTYPE')
      expect(await group.redis.hget(group.names.group, 'n')).toBe('4')
    },
  },
  'commit token': {
    'another token commits nothing': async (group) => {
      expect(await group.commit('20-3', { token: '1-other' })).toEqual(['fenced'])
    },
    'no token commits nothing after a release': async (group) => {
      await group.redis.hset(group.names.group, 'token', '')
      expect(await group.commit('20-3', { token: '' })).toEqual(['fenced'])
    },
  },
  'repeated commit': {
    'the same commit again is answered as done': async (group) => {
      expect(await group.commit('20-3')).toEqual(['committed'])
      expect(await group.commit('20-3')).toEqual(['already'])
    },
  },
  'commit number': {
    'a number that does not follow is fenced': async (group) => {
      expect(await group.commit('20-3', { n: 6 })).toEqual(['fenced'])
    },
    'a number from before is fenced': async (group) => {
      expect(await group.commit('20-3', { n: 3 })).toEqual(['fenced'])
    },
  },
  backwards: {
    'a position behind that of the group is refused': async (group) => {
      await group.commit('20-3')
      expect(await group.commit('10-2', { n: 6 })).toEqual(['refused', 'backwards', 3])
    },
  },
  'beyond the tip': {
    'a position beyond the tip is refused': async (group) => {
      expect(await group.commit('30-4')).toEqual(['refused', 'beyond', 3])
    },
  },
  'missing event': {
    'a position between two entries that is none of theirs is refused': async (group) => {
      expect(await group.commit('15-2')).toEqual(['refused', 'other', 2])
    },
  },
  'other event': {
    'a position of the right number and a wrong time is refused': async (group) => {
      expect(await group.commit('9-2')).toEqual(['refused', 'other', 2])
    },
  },
  'missing group': {
    'a group that was removed by hand is made again': async (group) => {
      await group.redis.xgroup('DESTROY', group.names.log, 'readers')
      expect(await group.commit('10-2')).toEqual(['committed'])
      expect(await group.redis.xinfo('GROUPS', group.names.log)).toMatchObject([
        expect.arrayContaining(['readers', '10-2']),
      ])
    },
  },
})
