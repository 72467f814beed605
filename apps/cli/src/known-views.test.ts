import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { newEvent, type Topic } from '@millrace/event'
import { appendOne, formatPosition } from '@millrace/log'
import { connectLog, type RedisLog } from '@millrace/redis'
import { sales } from '@millrace-app/leads/topics'
import { suggestions } from '@millrace-app/restocking/topics'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { viewNames } from './known-views.ts'
import { millrace } from './testing/millrace.ts'

let redis: TestRedis
let postgres: TestPostgres
let log: RedisLog

beforeAll(async () => {
  ;[redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  log = await connectLog({ url: redis.url })
})

afterAll(async () => {
  await log.close()
  await Promise.all([redis.stop(), postgres.stop()])
})

const on = (line: string, signal?: AbortSignal) =>
  millrace(line, { REDIS_URL: redis.url, DATABASE_URL: postgres.url }, signal === undefined ? {} : { signal })

async function sql(text: string): Promise<unknown[]> {
  const database = new pg.Client(postgres.url)
  await database.connect()
  try {
    return (await database.query<Record<string, unknown>>(text)).rows
  } finally {
    await database.end()
  }
}

const say = async (topic: Topic, type: string, key: string, data: unknown): Promise<void> =>
  void (await appendOne(log, topic, { events: [newEvent(topic, { type, key, data })] }))

const line = {
  ...{ line: 1, product: 'P1', productName: 'Hinge', supplier: 'S1', quantity: 10, dueOn: '2027-01-01' },
  ...{ numbers: { stock: 5 }, reason: 'The order is old.' },
}

/** What there is to be seen of a view, and how it is spoilt. */
const cases = [
  {
    view: 'leads-view',
    topic: sales,
    key: 'bob',
    events: 4,
    fill: async () => {
      await say(sales, 'LeadsChanged', 'ada', { low: true, high: [], open: 1 })
      await say(sales, 'LeadsChanged', 'bob', { low: true, high: [], open: 1 })
      await say(sales, 'LeadsChanged', 'bob', { low: false, high: ['car'], open: 0 })
      await say(sales, 'CallTaskOpened', 'bob', { task: 't', offer: 'o', car: 'car', acceptance: 2 })
    },
    look: `SELECT buyer, low, high, open, (SELECT string_agg(id || ' ' || state, ' ') FROM leads.call_task
             WHERE call_task.buyer = lead.buyer) AS tasks FROM leads.lead ORDER BY buyer`,
    right: [
      { buyer: 'ada', low: true, high: [], open: 1, tasks: null },
      { buyer: 'bob', low: false, high: ['car'], open: 0, tasks: 't open' },
    ],
    spoil: `UPDATE leads.lead SET open = 7 WHERE buyer = 'bob'; DELETE FROM leads.call_task`,
  },
  {
    view: 'restocking-view',
    topic: suggestions,
    key: 'O2/1',
    events: 3,
    fill: async () => {
      await say(suggestions, 'LineReviewed', 'O1/1', { order: 'O1', ...line, lineVersion: 1, kind: 'cancel' })
      await say(suggestions, 'LineReviewed', 'O2/1', { order: 'O2', ...line, lineVersion: 1, kind: 'cancel' })
      await say(suggestions, 'LineReviewed', 'O2/1', { order: 'O2', ...line, lineVersion: 2, kind: 'keep' })
    },
    look: `SELECT order_id, kind, line_version, reason, (SELECT string_agg(suggestion_id, ' ')
             FROM restocking_view.withdrawn WHERE withdrawn.line_key = verdict.line_key) AS withdrawn
           FROM restocking_view.verdict ORDER BY order_id`,
    right: [
      { order_id: 'O1', kind: 'cancel', line_version: 1, reason: line.reason, withdrawn: null },
      { order_id: 'O2', kind: 'keep', line_version: 2, reason: line.reason, withdrawn: 'O2.1.v1.cancel' },
    ],
    spoil: `UPDATE restocking_view.verdict SET reason = 'wrong' WHERE order_id = 'O2'`,
  },
] as const

describe.each(cases)('view rebuild $view', ({ view, topic, key, events, fill, look, right, spoil }) => {
  test('makes it where there is none, says how far it is, and mends it whole or from a position', async () => {
    await fill()
    expect((await on(`view rebuild ${view}`)).stderr).toContain(
      `Would read ${events} events of ${topic.name}`,
    )

    const built = await on(`view rebuild ${view} --yes`)
    expect(built).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`Swapped in with ${events} events.`),
    })
    expect(built.stderr).toMatch(new RegExp(`Rebuilding: \\d of ${events}`))
    expect(await sql(look)).toEqual(right)

    await sql(spoil)
    expect(await sql(look)).not.toEqual(right)
    const { events: history } = await log.readKey(topic, key)
    const position = history[0] ? formatPosition(history[0].position) : ''
    expect(await on(`view rebuild ${view} --from ${position} --yes`)).toMatchObject({ code: 0 })
    expect(await sql(look)).toEqual(right)

    await sql(spoil)
    expect(JSON.parse((await on(`view rebuild ${view} --yes --json`)).stdout)).toEqual({
      ...{ applied: events, resumed: false, skipped: [] },
    })
    expect(await sql(look)).toEqual(right)
  })

  test('stopped, it leaves the live view alone, and the next one goes on', async () => {
    const yes = `view rebuild ${view} --yes`
    await sql(spoil)
    const live = await sql(look)
    expect(await on(yes, AbortSignal.abort())).toMatchObject({ code: 130 })
    expect(await sql(look)).toEqual(live)
    expect((await on(yes)).stderr).toContain('going on with an earlier rebuild')
    expect(await sql(look)).toEqual(right)
  })
})

test('every view of the services is known, and named in the help', async () => {
  const apps = path.join(import.meta.dirname, '../..')
  const declared = globSync('*/src/**/*.ts', { cwd: apps }).flatMap((file) => {
    const text = readFileSync(path.join(apps, file), 'utf8')
    return /export const \w+: View<\w+> = \{\s+name: '([a-z-]+)'/.exec(text)?.[1] ?? []
  })
  expect(viewNames.toSorted()).toEqual(declared.toSorted())
  const { stdout } = await on('view rebuild --help')
  for (const name of declared) expect(stdout).toContain(name)
})
