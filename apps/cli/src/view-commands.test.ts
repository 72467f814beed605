import { accounts } from '@millrace/accounts'
import { formatPosition } from '@millrace/log'
import { openAccountView } from '@millrace-app/user-query'
import { connectLog, type RedisLog } from '@millrace/redis'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AccountScript, idsIn } from '../../../test/support/account-script.ts'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { millrace } from './testing/millrace.ts'

let redis: TestRedis
let postgres: TestPostgres
let log: RedisLog
const ids = idsIn(2, 40)

beforeAll(async () => {
  ;[redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  log = await connectLog({ url: redis.url })
  const script = new AccountScript(log)
  for (const id of ids) await script.signUp(id)
})

afterAll(async () => {
  await log.close()
  await Promise.all([redis.stop(), postgres.stop()])
})

const on = (line: string, signal?: AbortSignal) =>
  millrace(line, { REDIS_URL: redis.url, DATABASE_URL: postgres.url }, signal === undefined ? {} : { signal })

async function inView<T>(
  look: (view: Awaited<ReturnType<typeof openAccountView>>) => Promise<T>,
): Promise<T> {
  const view = await openAccountView({ url: postgres.url, onError: () => undefined })
  try {
    return await look(view)
  } finally {
    await view.close()
  }
}

const email = (id: string) => inView((view) => view.read(async (rows) => (await rows.get(id))?.email))

test('rebuild says what it would do, does it on --yes, and mends a view that is wrong', async () => {
  const proposed = await on('view rebuild user-query')
  expect(proposed).toMatchObject({ code: 0, stdout: '' })
  expect(proposed.stderr).toContain('Would read 40 events of accounts')
  expect(proposed.stderr).toContain('Nothing is sent.\nNothing was done.')

  const built = await on('view rebuild user-query --yes')
  expect(built).toMatchObject({ code: 0, stderr: expect.stringContaining('Swapped in with 40 events.') })
  expect(built.stderr).toMatch(/Rebuilding: \d+ of 40/)
  const [first = '', last = ''] = [ids[0], ids.at(-1)]
  expect(await email(last)).toBe(`${last}@example.org`)

  const database = new pg.Client(postgres.url)
  await database.connect()
  await database.query(`UPDATE user_query.account SET email = 'wrong@example.org' WHERE id = $1`, [last])
  await database.end()
  expect(await email(last)).toBe('wrong@example.org')
  const history = await log.readKey(accounts, first)
  const position = history.events[0]?.position
  const from = position ? formatPosition(position) : ''
  expect((await on(`view rebuild user-query --from ${from}`)).stderr).toContain('of the 39 events after')
  const partly = await on(`view rebuild user-query --from ${from} --yes --json`)
  expect(JSON.parse(partly.stdout)).toEqual({ applied: 40, resumed: false, skipped: [] })
  expect(await email(last)).toBe(`${last}@example.org`)
})

test('a wrong command line or a database that is away is one sentence', async () => {
  const yes = 'view rebuild user-query --yes'
  expect(await on('view rebuild orders')).toMatchObject({
    code: 2,
    stderr: 'millrace: There is no view "orders"; there are user-query, leads-view, restocking-view.\n',
  })
  expect(await on(`${yes} --from yesterday`)).toMatchObject({ code: 2 })
  expect(await on(`${yes} --from accounts/2/1-999`)).toMatchObject({
    code: 2,
    stderr: 'millrace: There is no event at accounts/2/1-999.\n',
  })
  expect(await millrace(yes, { REDIS_URL: redis.url })).toMatchObject({ code: 2 })
  const gone = { REDIS_URL: redis.url, DATABASE_URL: 'postgres://u:p@127.0.0.1:1/d' }
  expect(await millrace(yes, gone)).toMatchObject({
    code: 3,
    stderr: 'millrace: The database cannot be reached.\n',
  })
})

test('a rebuild that was stopped leaves the live view alone, and the next one goes on', async () => {
  expect(await on('view rebuild user-query --yes', AbortSignal.abort())).toMatchObject({
    code: 130,
    stderr: expect.stringContaining('the live view is as it was'),
  })
  expect(await on('view rebuild user-query --yes')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('going on with an earlier rebuild'),
  })
})
