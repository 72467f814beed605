import { accountConstraints, accounts } from '@millrace/accounts'
import { newEvent } from '@millrace/event'
import { connectLog, type RedisLog } from '@millrace/redis'
import { createUniq, readKeyring } from '@millrace/uniq'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { millrace as runMillrace } from './testing/millrace.ts'

const secret = (fill: number) => Buffer.alloc(16, fill).toString('base64')
const keyring = `1:${secret(1)},2:${secret(2)}`

describe('millrace uniq', () => {
  let redis: TestRedis
  let log: RedisLog

  beforeAll(async () => {
    redis = await startRedis()
    log = await connectLog({ url: redis.url })
    const uniq = createUniq({
      log,
      topic: accounts,
      constraints: accountConstraints(),
      keyring: readKeyring(keyring).only(['1']),
    })
    for (const name of ['anna', 'berta', 'carla']) {
      const data = {
        username: name,
        email: `${name}@example.org`,
        passwordHash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g',
      }
      const [result] = await uniq.append([
        { events: [newEvent(accounts, { type: 'AccountCreated', key: `id-${name}`, data })] },
      ])
      expect(result?.status).toBe('appended')
    }
  })

  afterAll(async () => {
    await log.close()
    await redis.stop()
  })

  const millrace = (
    line: string,
    input = '',
    env: NodeJS.ProcessEnv = { REDIS_URL: redis.url, UNIQ_KEYRING: keyring },
  ) => runMillrace(line, env, { input })

  test('get answers the owner on stdout and nothing else there', async () => {
    expect(await millrace('uniq get email Anna@EXAMPLE.org')).toEqual({
      code: 0,
      stdout: 'id-anna\n',
      stderr: '',
    })
    expect(await millrace('uniq get email -', 'berta@example.org\n')).toMatchObject({
      code: 0,
      stdout: 'id-berta\n',
    })
    expect(await millrace('uniq get email nobody@example.org')).toMatchObject({ code: 1, stdout: '' })
    expect(JSON.parse((await millrace('uniq get email anna@example.org --json')).stdout)).toEqual({
      constraint: 'email',
      owner: 'id-anna',
    })
  })

  test('a wrong command line is one sentence and a hint, and does nothing', async () => {
    expect(await millrace('uniq get telephone 1')).toMatchObject({
      code: 2,
      stderr: 'millrace: Topic accounts has no constraint "telephone".\n',
    })
    expect(await millrace('uniq get email nonsense')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no @'),
    })
    expect(await millrace('uniq frobnicate')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--help'),
    })
    expect(await millrace('uniq verify --topic offers')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is accounts'),
    })
    expect(await millrace('uniq verify', '', { MILLRACE_HOME: '/nowhere' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('npm start'),
    })
    expect(
      await millrace('uniq verify', '', { REDIS_URL: redis.url, UNIQ_KEYRING: 'hunter2' }),
    ).toMatchObject({ code: 2, stderr: expect.not.stringContaining('hunter2') })
    const gone = { REDIS_URL: 'redis://127.0.0.1:1', UNIQ_KEYRING: keyring }
    expect(await millrace('uniq verify', '', gone)).toMatchObject({
      code: 3,
      stderr: 'millrace: Redis cannot be reached. Is the system running?\n',
    })
  })

  test('verify, break, verify, rebuild, rotate', async () => {
    expect(await millrace('uniq verify')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('3 entries, 0 differences.'),
    })
    const live = createUniq({
      log,
      topic: accounts,
      constraints: accountConstraints(),
      keyring: readKeyring(keyring),
    })
    await log.claims.beginRebuild(accounts, ['1'])
    for (const tip of await log.tips(accounts))
      await log.claims.stepRebuild(accounts, {
        partition: tip.partition,
        from: '0-0',
        to: tip.id,
        entries: [],
      })
    expect(await log.claims.swapRebuild(accounts)).toEqual({ status: 'swapped' })

    const broken = await millrace('uniq verify')
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining('millrace uniq rebuild') })
    expect(broken.stdout.split('\n')[0]).toMatch(/^KIND +CONSTRAINT +KEY/)
    expect(broken.stdout).not.toContain('@')
    const report = JSON.parse((await millrace('uniq verify --json')).stdout) as { differences: unknown[] }
    expect(report.differences).toHaveLength(3)

    expect(await millrace('uniq rebuild --closed')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Nothing was done'),
    })
    expect((await millrace('uniq verify')).code).toBe(1)
    expect(await millrace('uniq rebuild --closed --yes')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Swapped in'),
    })
    expect((await millrace('uniq verify')).code).toBe(0)

    expect(await millrace('uniq rotate --to 3 --yes')).toMatchObject({
      code: 2,
      stderr: 'millrace: The keyring has no version 3.\n',
    })
    expect(await millrace('uniq rotate --to 2 --yes')).toMatchObject({ code: 0 })
    expect(await log.claims.liveVersions(accounts)).toEqual(['2'])
    expect((await millrace('uniq verify')).code).toBe(0)
    expect(await live.ownerOf('email', ['carla@example.org'])).toBe('id-carla')
  })
})
