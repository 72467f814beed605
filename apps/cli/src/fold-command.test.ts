import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { accounts } from '@millrace/accounts'
import { connectLog, type RedisLog } from '@millrace/redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AccountScript } from '../../../test/support/account-script.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { millrace, millraceProcess } from './testing/millrace.ts'
import { wholeHistory } from './whole-history.ts'

let redis: TestRedis
let log: RedisLog
let directory: string
const people = 1_500

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'millrace-fold-'))
  redis = await startRedis()
  log = await connectLog({ url: redis.url })
  const script = new AccountScript(log)
  await Promise.all(Array.from({ length: people }, (_, at) => script.signUp(`u${at}`)))
  // Three leave; one of them comes back, in other letters, under another account.
  for (const id of ['u1', 'u2', 'u3']) await script.append('AccountClosed', id)
  await script.signUp('again', 'U2@EXAMPLE.org')
})

afterAll(async () => {
  await log.close()
  await redis.stop()
  rmSync(directory, { recursive: true })
})

const fold = (file: string, options = '') =>
  millraceProcess(`fold ${file}${options}`, { REDIS_URL: redis.url })

function written(source: string): string {
  const file = path.join(directory, `fold-${Math.random().toString(36).slice(2)}.ts`)
  writeFileSync(file, source)
  return file
}

describe('millrace fold', () => {
  const example = path.join(import.meta.dirname, '../../../examples/came-back.ts')

  test('the example tells how many people came back', async () => {
    const { code, stdout, stderr } = await fold(example)
    expect(stdout).toBe('{ peopleWhoLeft: 3, peopleWhoCameBack: 1 }\n')
    expect(code).toBe(0)
    expect(stderr).toContain(`${people + 4} events of accounts.`)
    expect(stderr).toMatch(/Folding: \d+ of 1504/)
    expect(JSON.parse((await fold(example, ' --json')).stdout)).toEqual({
      peopleWhoLeft: 3,
      peopleWhoCameBack: 1,
    })
  })

  test('without result, the last state is printed; maps and sets as JSON can say them', async () => {
    const file = written(`
      export const initial = new Map()
      export const fold = (state, { type }, position) => state.set(type, (state.get(type) ?? 0) + position.seq * 0 + 1)
    `)
    expect(JSON.parse((await fold(file, ' --json')).stdout)).toEqual([
      ['AccountCreated', people + 1],
      ['AccountClosed', 3],
    ])
  })

  test.each([
    ['is not there', undefined, 'There is no file'],
    ['is no TypeScript', 'export const initial = (', 'cannot be loaded: SyntaxError'],
    ['imports what is not there', `import './nowhere.ts'`, 'cannot be loaded: Error: Cannot find module'],
    ['has no fold', 'export const initial = 0', 'must export a function fold'],
    ['has no initial', 'export const fold = (n: number) => n', 'must export initial'],
    ['has a wrong result', 'export const initial = 0, fold = (n: number) => n, result = 1', 'no function'],
    [
      'forgets to return',
      'export const initial = 0\nexport function fold() {}',
      'must return the next state',
    ],
    ['is async', 'export const initial = 0\nexport const fold = async () => 1', 'must not be async'],
    [
      'fails at an event',
      `export const initial = 0\nexport const fold = () => { throw new Error('no such field') }`,
      /fold failed at accounts\/\d+\/\d+-\d+ \(AccountCreated\): Error: no such field/,
    ],
  ])('a file that %s is told in one sentence', async (_what, source, sentence) => {
    const { code, stdout, stderr } = await fold(source === undefined ? '/nowhere.ts' : written(source))
    expect(stderr).toMatch(sentence)
    expect(stderr).not.toContain('    at ')
    expect([code, stdout]).toEqual([2, ''])
  })

  test('it can be stopped', async () => {
    const stopped = millrace(`fold ${example}`, { REDIS_URL: redis.url }, { signal: AbortSignal.abort() })
    expect(await stopped).toMatchObject({
      code: 130,
      stdout: '',
      stderr: expect.stringContaining('there is no result'),
    })
  })
})

test('the whole history: all that was there at the start, in the order of the log, page by page', async () => {
  const limits: number[] = []
  let script: AccountScript | undefined = new AccountScript(log)
  const counting: Pick<RedisLog, 'read' | 'tips'> = {
    tips: (topic) => log.tips(topic),
    read: async (topic, after, options) => {
      limits.push(options?.limit ?? Number.POSITIVE_INFINITY)
      // What comes meanwhile is not of this history.
      await script?.signUp('late')
      script = undefined
      return log.read(topic, after, { ...options, limit: 7 })
    },
  }
  let [last, count] = [0, 0]
  const ids = new Set<string>()
  for await (const { event, position } of wholeHistory(counting, accounts)) {
    const ms = Number(position.id.split('-')[0])
    expect(ms).toBeGreaterThanOrEqual(last)
    last = ms
    count += 1
    ids.add(event.id)
    expect(event.subject).not.toBe('late')
  }
  expect([count, ids.size]).toEqual([people + 4, people + 4])
  expect(Math.max(...limits)).toBe(500)
})
