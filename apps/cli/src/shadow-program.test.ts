import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { newEvent } from '@millrace/event'
import { run } from '@millrace/processor'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { Redis } from 'ioredis'
import { loadProcessor } from './processor-file.ts'
import { millrace } from './testing/millrace.ts'

let server: TestRedis
let log: RedisLog
let store: RedisGroupStore
let raw: Redis
const home = mkdtempSync(path.join(import.meta.dirname, '.shadow-test-'))
const file = path.join(home, 'orders.ts')
const source = `
import { topic } from '@millrace/event'
import { defineEffect, processor, state } from '@millrace/processor'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
const orders = topic('orders', { types: { Ordered: z.object({ price: z.number() }) }, partitions: 2 })
const call = defineEffect('call', { schema: z.object({}), run: () => undefined })
const load = async (key) => {
  const all = JSON.parse(readFileSync(${JSON.stringify(path.join(home, 'elsewhere.json'))}, 'utf8'))
  return key in all ? { state: all[key], asOf: new Date(0) } : undefined
}
export const sums = processor('sums', orders, {
  state: state({ initial: () => ({ sum: 0 }), firstTouch: { load: async () => undefined } }),
  shadow: {},
  compare: { load, fields: ({ sum }) => ({ sum }) },
  effects: [call],
  handle: (event, context) => {
    context.evolve({ sum: context.state.sum + event.data.price })
    context.effect(call, {})
  },
})
`
const elsewhere = (all: object) => writeFileSync(path.join(home, 'elsewhere.json'), JSON.stringify(all))

beforeAll(async () => {
  writeFileSync(file, source)
  server = await startRedis()
  log = await connectLog({ url: server.url })
  store = await connectGroupStore({ url: server.url })
  raw = new Redis(server.url)
})
afterAll(async () => {
  raw.disconnect()
  await store.close()
  await log.close()
  await server.stop()
  rmSync(home, { recursive: true })
})

beforeEach(async () => {
  await raw.flushall()
})

const on = (line: string) => millrace(`${line} --file ${file}`, { REDIS_URL: server.url })
const said = '--actor ada --reason tried'

/** Three keys with an order each. */
async function handled() {
  const sums = await loadProcessor(file, 'sums')
  const settled = Promise.withResolvers<void>()
  const done = new Map<number, number>()
  const running = await run(sums, {
    ...{ log, store, emitsTo: [] },
    observe: (event) => {
      if (event.kind === 'progress') done.set(event.partition, event.position.seq)
      if ([...done.values()].reduce((sum, one) => sum + one, 0) === 3) settled.resolve()
    },
  })
  for (const [n, key] of ['a', 'b', 'c'].entries()) {
    const data = { price: (n + 1) * 10 }
    await log.append(sums.topic, [{ events: [newEvent(sums.topic, { type: 'Ordered', key, data })] }])
  }
  await settled.promise
  await running.stop()
  return sums
}

test('differences are listed by key and field, with the events that led there', async () => {
  await handled()
  elsewhere({ a: { sum: 10 }, b: { sum: 20 }, c: { sum: 30 } })
  const same = await on('shadow sums --settle 0s')
  expect(same.stderr).toContain('Keys the same: 3; different: 0')
  expect(same.code).toBe(0)
  elsewhere({ a: { sum: 10 }, b: { sum: 21 } })
  const found = await on('shadow sums --settle 0s --json')
  expect(found.code).toBe(1)
  expect(JSON.parse(found.stdout)).toMatchObject({
    ...{ same: 1, different: 2, fields: { sum: 2 } },
    differences: [
      { key: 'b', fields: [{ field: 'sum', here: 20, there: 21 }], events: [{ type: 'Ordered' }] },
      { key: 'c', fields: [{ field: 'sum', here: 30, there: 0 }] },
    ],
  })
  const one = await on('shadow sums --settle 0s --key b')
  expect(one.stdout).toContain('sum: here 20, there 21')
  expect(one.stdout).toContain('Ordered')
})

test('keys are promoted and demoted, and withheld effects are released by id, with an audit entry', async () => {
  const { topic } = await handled()
  const withheld = JSON.parse((await on('shadow withheld sums --json')).stdout) as {
    idempotencyKey: string
  }[]
  expect(withheld).toHaveLength(3)
  expect((await on(`shadow promote sums --key a ${said}`)).stderr).toContain('Nothing was done')
  expect((await on(`shadow promote sums --percent 150 ${said} --yes`)).code).toBe(2)
  expect((await on(`shadow promote sums --percent 25 ${said} --yes`)).code).toBe(0)
  expect((await on(`shadow demote sums --key a --key b ${said} --yes`)).code).toBe(0)
  expect((await on(`shadow forget sums --key b ${said} --yes`)).code).toBe(0)
  const status = await on('shadow status sums')
  expect(status.stdout).toContain('25 %')
  expect(status.stdout).toContain('-a')
  expect(status.stdout).not.toContain('-b')
  const id = withheld[0]?.idempotencyKey ?? ''
  expect((await on(`shadow release sums --id ${id} ${said} --yes`)).stderr).toContain('1 of 1')
  expect((await on(`shadow release sums --id ${id} ${said} --yes`)).code).toBe(1)
  const entries = await Promise.all(
    [0, 1].map(async (partition) => (await store.repairEntries({ topic, partition, group: 'sums' })).items),
  )
  expect(new Set(entries.flat().map(({ kind }) => kind))).toEqual(
    new Set(['promoted', 'demoted', 'released']),
  )
})

test('states are dropped: some or all, dry at first', async () => {
  const { topic } = await handled()
  expect((await on(`state drop sums --all ${said}`)).stderr).toContain('Would drop 3 states')
  expect((await on(`state drop sums ${said} --yes`)).code).toBe(2)
  const one = await on(`state drop sums --key a --history ${said} --yes --json`)
  expect(JSON.parse(one.stdout)).toEqual({ records: 1, migrations: 1, done: true })
  const all = await on(`state drop sums --all ${said} --yes --json`)
  expect(JSON.parse(all.stdout)).toEqual({ records: 2, migrations: 0, done: true })
  const left = await Promise.all(
    [0, 1].map(async (partition) => (await store.statesPage({ topic, partition, group: 'sums' })).items),
  )
  expect(left.flat().every(({ state }) => state.state === '')).toBe(true)
})

test('a group that takes over from nobody is refused by name', async () => {
  const { code, stderr } = await millrace('shadow mail', { REDIS_URL: server.url })
  expect(code).toBe(2)
  expect(stderr).toContain('No service called "mail"')
})
