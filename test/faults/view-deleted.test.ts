import { createSessionTokens } from '@millrace/accounts'
import { createMemoryGroupStore, type GroupStore } from '@millrace/processor'
import { accountLinks, createMailService } from '@millrace-app/mail'
import { type AccountRows, accountView, createUserQuery, openAccountView } from '@millrace-app/user-query'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { createMailDelivery, createMailSender } from '@millrace/smtp'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { CheckpointWatch, rebuildView, type ViewStore } from '@millrace/view'
import { parsePosition } from '@millrace/log'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { AccountScript } from '../support/account-script.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let redis: TestRedis
let postgres: TestPostgres
let log: RedisLog
let groups: RedisGroupStore
const prefixes = { next: 0 }
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  ;[redis, postgres] = await Promise.all([startRedis(), startPostgres()])
})
afterAll(async () => {
  await Promise.all([redis.stop(), postgres.stop()])
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore }
const http = {
  logger: silent,
  context: { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined },
}
const key = Buffer.alloc(32, 7)

/** A log, groups and a schema of the test's own on the shared servers. */
async function setUp() {
  const prefix = `test-${++prefixes.next}`
  const schema = `view_${prefixes.next}`
  log = await connectLog({ url: redis.url, prefix })
  closing.push(() => log.close())
  groups = await connectGroupStore({ url: redis.url, prefix })
  closing.push(() => groups.close())
  const openView = async (): Promise<ViewStore<AccountRows>> => {
    const view = await openAccountView({ url: postgres.url, schema, onError: ignore })
    closing.push(() => view.close())
    return view
  }
  return { openView, schema, script: new AccountScript(log) }
}

async function startQuery(view: ViewStore<AccountRows>, store: GroupStore = groups): Promise<void> {
  const service = createUserQuery({
    log,
    groups: store,
    view,
    sessions: createSessionTokens({ key }),
    tokens: [],
    http,
  })
  await service.start()
  closing.push(() => service.stop())
}

/** Waits until a view has all of these positions. */
async function reached(view: ViewStore<AccountRows>, positions: readonly string[]): Promise<void> {
  const watch = new CheckpointWatch(view)
  await Promise.all(positions.map((position) => watch.reached(parsePosition(position), 120_000)))
  watch.stop()
}

const signUpsIn = (view: ViewStore<AccountRows>) =>
  view.read(async (rows) => (await rows.signUps('day', 10)).reduce((sum, { count }) => sum + count, 0))

test('a deleted view is rebuilt from the log by itself, and not a single mail is sent', async () => {
  const { openView, schema, script } = await setUp()
  const provider = await FaultySmtpServer.start()
  closing.push(() => provider.stop())
  const mail = createMailService({
    log,
    groups,
    delivery: createMailDelivery(createMailSender(provider.url, { address: 'hello@millrace.test' })),
    links: accountLinks({ key, publicUrl: 'http://127.0.0.1:3000' }),
    mails: { product: { name: 'Millrace', url: 'http://127.0.0.1:3000' }, messageIdHost: 'mail.test' },
  })
  await mail.start()
  closing.push(() => mail.stop())
  const view = await openView()
  await startQuery(view)
  const positions = await Promise.all(Array.from({ length: 100 }, (_, at) => script.signUp(`u${at}`)))
  await reached(view, positions)
  await provider.record.received(100)

  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  await client.query(`DROP SCHEMA ${schema} CASCADE`)
  await client.end()
  await reached(view, positions)
  expect(await signUpsIn(view)).toBe(100)
  // Rebuilt by an operator, beside the live one, it is the same, and still nobody hears of it.
  await rebuildView({ view: accountView, store: view, log })
  expect(await signUpsIn(view)).toBe(100)
  await reached(view, [await script.signUp('late')])
  expect(await signUpsIn(view)).toBe(101)
  await provider.record.received(101)
  expect(provider.record.mails).toHaveLength(101)
})

test('two instances that both apply everything have each event in the view exactly once', async () => {
  const { openView, script } = await setUp()
  const views = [await openView(), await openView()]
  const write = (from: number) =>
    Promise.all(Array.from({ length: 150 }, (_, at) => script.signUp(`u${from + at}`)))
  const positions = await write(0)
  // Each with groups of its own: nothing but the view's own transaction stands between them.
  for (const view of views) await startQuery(view, createMemoryGroupStore({ log }))
  positions.push(...(await write(150)))
  for (const view of views) await reached(view, positions)
  const [first] = views
  if (!first) throw new Error('There is no view')
  expect(await signUpsIn(first)).toBe(300)
  const versions = await first.read((rows) =>
    Promise.all(Array.from({ length: 300 }, async (_, at) => (await rows.get(`u${at}`))?.version)),
  )
  expect(new Set(versions)).toEqual(new Set([1]))
})

function ignore(): void {
  // Nothing that is said here matters to the test.
}
