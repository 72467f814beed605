import { MillraceError, newEvent, topic } from '@millrace/event'
import { httpApp } from '@millrace/hono'
import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '@millrace/processor'
import { intent } from '@millrace/processor/contract'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createRepairsApi } from './repairs-api.ts'

const orders = topic('orders', { partitions: 1, types: { Placed: z.strictObject({ n: z.number() }) } })
const nothing = () => undefined
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: nothing }
const at = { topic: orders, group: 'billing', partition: 0 }
const list = '/effects?topic=orders&group=billing'

/** Three effects of a key: the first two are dead, the third is carried out. */
async function open() {
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const app = httpApp({ logger: silent, context })
  const effects = new Map([['quote', { schema: z.strictObject({ to: z.string() }) }]])
  const actorOf = (c: { req: { header: (name: string) => string | undefined } }) => {
    if (c.req.header('x-role') === 'viewer') throw new MillraceError('request.forbidden')
    return 'ada'
  }
  app.route(
    '/',
    createRepairsApi({ store, log, groups: [{ topic: orders, group: 'billing', effects }], actorOf }),
  )
  const [result] = await log.append(orders, [
    { events: [newEvent(orders, { type: 'Placed', key: 'k', data: { n: 1 } })] },
  ])
  const [position] = result?.status === 'appended' ? result.positions : []
  const token = (await store.acquire(at, 'm', 10_000))?.token ?? ''
  await store.commit(at, {
    ...{ token, n: 1, ahead: [], dead: [], position: { id: position?.id ?? '', seq: 1 } },
    effects: ['a/1', 'b', 'c'].map((id) => intent(id)),
  })
  const note = (atMs: number) => ({
    atMs,
    reason: 'mail.refused',
    fingerprint: 'f',
    message: 'ada@example.org',
  })
  await store.confirmEffects(at, token, [
    { idempotencyKey: 'a/1', turn: 0, to: 'dead', note: note(10) },
    { idempotencyKey: 'b', turn: 0, to: 'dead', note: note(20) },
  ])
  await store.confirmEffects(at, token, [{ idempotencyKey: 'c', turn: 0, to: 'confirmed' }])
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await app.request(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  return { send, store }
}

const one = '/effects/orders/billing/0/a%2F1'

test('dead effects are listed, page by page, and shown whole, masked for those who look', async () => {
  const { send } = await open()
  const first = await send('GET', `${list}&limit=1&class=f&name=quote`)
  expect(first).toMatchObject({
    status: 200,
    body: {
      items: [{ idempotencyKey: 'a/1', name: 'quote', key: 'k', turn: 1, class: 'f' }],
      next: '0 10 1',
    },
  })
  expect(JSON.stringify(first.body)).not.toContain('ada@')
  expect((await send('GET', `${list}&limit=1&after=0%2010%201`)).body).toMatchObject({
    items: [{ idempotencyKey: 'b' }],
  })
  expect((await send('GET', `${list}&untilMs=5`)).body).toMatchObject({ items: [], next: null })
  expect((await send('GET', one)).body).toMatchObject({
    ...{ overtaken: { count: 1, first: 3, last: 3 }, ruling: null, payload: { to: 'Zoë "quoted" \\' } },
  })
  expect((await send('GET', `${one}?plain=true`)).body).toMatchObject({ message: 'ada@example.org' })
  expect((await send('GET', `${one}?plain=true`, undefined, { 'x-role': 'viewer' })).status).toBe(403)
  expect((await send('GET', '/effects/orders/billing/0/none')).body).toMatchObject({ code: 'repair.gone' })
})

test('one is repaired: with force where it was overtaken, as it was seen, by the schema, once', async () => {
  const { send, store } = await open()
  const repair = (body: object, headers?: Record<string, string>) =>
    send('POST', `${one}/repairs`, { reason: 'mended', ...body }, headers)
  expect(await repair({ action: 'requeue' }, { 'x-role': 'viewer' })).toMatchObject({ status: 403 })
  expect((await repair({ action: 'requeue' })).body).toMatchObject({
    ...{ code: 'repair.overtaken', overtaken: { count: 1, first: 3, last: 3 } },
  })
  expect((await repair({ action: 'ignore', turn: 0 })).body).toMatchObject({ code: 'repair.changed' })
  expect((await repair({ action: 'edit', data: { to: 1 }, force: true })).body).toMatchObject({
    code: 'event.invalid',
  })
  expect((await repair({ action: 'refetch' })).status).toBe(400)
  expect(await repair({ action: 'requeue', force: true, dryRun: true })).toMatchObject({ status: 200 })
  const order = { 'idempotency-key': 'o1' }
  const edit = { action: 'edit', patch: { to: 'bob' }, force: true }
  expect((await repair(edit, order)).body).toMatchObject({ status: 'ruled', key: 'k', name: 'quote' })
  expect((await repair(edit, order)).body).toMatchObject({ status: 'already' })
  expect((await repair({ action: 'ignore' })).body).toMatchObject({ code: 'repair.pending' })
  expect((await send('GET', one)).body).toMatchObject({
    ...{
      status: 'pending',
      payload: { to: 'bob' },
      original: { to: 'Zoë "quoted" \\' },
      ruling: { kind: 'corrected' },
    },
  })
  expect((await store.audit(at)).differences).toEqual([])
})

test('a selection is repaired page by page', async () => {
  const { send, store } = await open()
  const order = {
    topic: 'orders',
    group: 'billing',
    filter: { key: 'k' },
    action: 'ignore',
    reason: 'old',
    limit: 1,
  }
  const first = await send('POST', '/effects/repairs', order)
  expect(first.body).toMatchObject({ outcomes: [{ idempotencyKey: 'a/1', status: 'ruled' }] })
  const second = await send('POST', '/effects/repairs', { ...order, after: first.body['next'] })
  expect(second.body).toMatchObject({ outcomes: [{ idempotencyKey: 'b', status: 'ruled' }] })
  const third = await send('POST', '/effects/repairs', { ...order, after: second.body['next'] })
  expect(third.body).toEqual({ outcomes: [], next: null })
  expect((await store.audit(at)).counters.effects).toMatchObject({ dead: 0, ignored: 2 })
})

test('a partition that there is not is refused, by its number and by the place to go on from', async () => {
  const { send } = await open()
  const far = Number.MAX_SAFE_INTEGER
  for (const path of [
    `${list}&partition=${far}`,
    `${list}&partition=${far}&after=0`,
    `/dead-letters?topic=orders&group=billing&partition=${far}&after=0`,
    `/parked?topic=orders&group=billing&partition=1`,
    `/repairs?topic=orders&group=billing&partition=1`,
  ])
    expect(await send('GET', path)).toMatchObject({ status: 400, body: { code: 'request.invalid' } })
  const selection = {
    topic: 'orders',
    group: 'billing',
    action: 'ignore',
    reason: 'r',
    after: `${far} - - 1`,
  }
  expect(await send('POST', '/effects/repairs', selection)).toMatchObject({ status: 400 })
  expect((await send('GET', `${list}&after=${far}`)).body).toEqual({ items: [], next: null })
})
