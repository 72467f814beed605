import { newEvent, topic } from '@millrace/event'
import { connectLog, type RedisLog } from '@millrace/redis'
import {
  createKeyring,
  createUniq,
  type Keyring,
  readConstraints,
  rebuildClaims,
  verifyClaims,
} from '@millrace/uniq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { startRedis, type TestRedis } from '../support/redis.ts'

const secretOf = (fill: number) => Buffer.alloc(16, fill)
const first = createKeyring([{ version: '1', secret: secretOf(1), normaliser: 1 }])
const second = createKeyring([{ version: '2', secret: secretOf(2), normaliser: 1 }])
const both = createKeyring([
  { version: '1', secret: secretOf(1), normaliser: 1 },
  { version: '2', secret: secretOf(2), normaliser: 1 },
])

describe('claims, verified and rebuilt', () => {
  let server: TestRedis
  let log: RedisLog
  let redis: Redis

  beforeAll(async () => {
    server = await startRedis()
    log = await connectLog({ url: server.url })
    redis = new Redis(server.url)
  })

  afterAll(async () => {
    redis.disconnect()
    await log.close()
    await server.stop()
  })

  function open(name: string) {
    const anything = z.object({}).loose()
    const people = topic(name, {
      placement: 'together',
      partitions: 4,
      types: { Joined: anything, Moved: anything, Left: anything },
    })
    const constraints = readConstraints(
      {
        topic: name,
        constraints: [
          {
            name: 'email',
            normalise: ['text'],
            create: { Joined: ['email'] },
            change: { Moved: ['email'] },
            release: ['Left'],
          },
        ],
      },
      people,
    )
    const uniq = (keyring: Keyring) => createUniq({ log, topic: people, constraints, keyring })
    const send = async (keyring: Keyring, type: string, key: string, email?: string) => {
      const [result] = await uniq(keyring).append([
        { events: [newEvent(people, { type, key, data: email === undefined ? {} : { email } })] },
      ])
      return result?.status === 'refused' ? result.error.code : result?.status
    }
    const common = { log, claims: log.claims, topic: people, constraints }
    return { people, send, common, verify: (keyring: Keyring) => verifyClaims({ ...common, keyring }) }
  }

  async function populate(name: string, keys: number) {
    const opened = open(name)
    for (let at = 0; at < keys; at++) await opened.send(first, 'Joined', `k${at}`, `person ${at}`)
    await opened.send(first, 'Moved', 'k0', 'moved')
    await opened.send(first, 'Left', 'k1')
    return opened
  }

  test('a sound set of claims has no differences', async () => {
    const { verify } = await populate('sound', 50)
    expect(await verify(first)).toEqual({ events: 52, entries: 50, differences: [], undigested: [] })
  })

  test('each way to be wrong is found and named, and a rebuild mends them all', async () => {
    const { verify, common } = await populate('broken', 20)
    const claims = 'mr:{broken}:claims'
    const owners = 'mr:{broken}:owners'
    const digestOf = async (key: string) => (await redis.hget(owners, `email:${key}`)) ?? ''
    await redis.hdel(claims, `email:${await digestOf('k2')}`)
    await redis.hset(claims, `email:${await digestOf('k3')}`, 'k4')
    await redis.hset(claims, 'email:1:nobody', 'k5')
    await redis.hdel(owners, 'email:k6')
    await redis.hset(owners, 'email:k1', '1:ghost')
    const found = (await verify(first)).differences.map(({ kind, key }) => `${kind} ${key}`).toSorted()
    expect(found).toEqual(['entry k1', 'entry k6', 'lost k2', 'lost k3', 'stray k4', 'stray k5', 'stray k6'])
    const report = await rebuildClaims({ ...common, keyring: first, closed: true })
    expect(report.status).toBe('swapped')
    expect((await verify(first)).differences).toEqual([])
  })

  test('lost claims come back from the log, and meanwhile nobody slips through', async () => {
    const { send, common, verify } = await populate('lost', 30)
    await redis.del('mr:{lost}:claims', 'mr:{lost}:owners')
    await log.claims.gate(common.topic, 60_000)
    expect(await send(first, 'Joined', 'thief', 'person 7')).toBe('append.gated')
    expect((await rebuildClaims({ ...common, keyring: first, closed: true })).status).toBe('swapped')
    expect(await send(first, 'Joined', 'thief', 'Person 7 ')).toBe('append.claimed')
    expect((await verify(first)).differences).toEqual([])
  })

  test('a rotation of the secret leaves no window: sign-ups under load, never two owners', async () => {
    const { send, common, verify } = await populate('rotated', 200)
    let running = true
    const outcomes = new Map<string, string[]>()
    const load = async (client: number) => {
      for (let turn = 0; running; turn++) {
        const email = `hot ${turn % 40}`
        const join = () => send(both, 'Joined', `c${client}-${turn}`, email)
        let outcome = await join()
        // Where a machine is so slow that the gate closes again and again, that is an honest "later".
        while (outcome === 'append.gated') outcome = await join()
        outcomes.set(email, [...(outcomes.get(email) ?? []), outcome ?? ''])
      }
    }
    const clients = Array.from({ length: 8 }, (_, client) => load(client))
    const report = await rebuildClaims({ ...common, keyring: second })
    running = false
    await Promise.all(clients)
    expect(report.status).toBe('swapped')
    expect(report.gates).toBeGreaterThan(0)
    for (const [email, results] of outcomes)
      expect([email, results.filter((result) => result === 'appended').length]).toEqual([email, 1])
    const other = [...outcomes.values()]
      .flat()
      .filter((result) => result !== 'appended' && result !== 'append.claimed')
    expect(other).toEqual([])
    expect(await log.claims.liveVersions(common.topic)).toEqual(['2'])
    expect(await send(first, 'Joined', 'old-instance', 'someone')).toBe('append.keyring')
    expect(await send(both, 'Joined', 'new-instance', 'PERSON 9')).toBe('append.claimed')
    expect((await verify(second)).differences).toEqual([])
  })

  test('a normaliser that lets two owners meet is refused, with their names', async () => {
    const { send, common } = open('colliding')
    await send(first, 'Joined', 'a', 'a.b')
    await send(first, 'Joined', 'b', 'ab')
    const strict = createKeyring([{ version: 'dotless', secret: secretOf(3), normaliser: 2 }], {
      text: [(value) => value, (value) => value.replaceAll('.', '')],
    })
    const report = await rebuildClaims({ ...common, keyring: strict })
    expect(report.status).toBe('contested')
    expect(report.contested[0]?.keys.toSorted()).toEqual(['a', 'b'])
    expect(await log.claims.liveVersions(common.topic)).toEqual(['1'])
    expect(await send(first, 'Joined', 'c', 'A.B')).toBe('append.claimed')
  })

  test('a rebuild that was stopped goes on where it was', async () => {
    const { common, verify } = await populate('stopped', 1_500)
    const abort = new AbortController()
    const stopped = await rebuildClaims({
      ...common,
      keyring: first,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    })
    expect(stopped).toMatchObject({ status: 'stopped' })
    const rest = await rebuildClaims({ ...common, keyring: first })
    expect(rest.status).toBe('swapped')
    expect(stopped.events).toBeGreaterThan(0)
    expect(stopped.events + rest.events).toBe(1_502)
    expect((await verify(first)).differences).toEqual([])
  })
})
