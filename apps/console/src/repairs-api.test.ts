import { MillraceError, newEvent, topic } from '@millrace/event'
import { bearerToken, httpApp, makeDocument } from '@millrace/hono'
import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore, type GroupPartition } from '@millrace/processor'
import { held, letter } from '@millrace/processor/contract'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createRepairsApi } from './repairs-api.ts'

const orders = topic('orders', { partitions: 2, types: { Placed: z.strictObject({ n: z.number() }) } })
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }
const letters = 7

/** Dead letters of seven keys in one partition, and a held key in the other one. */
async function open() {
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const api = createRepairsApi({
    store,
    log,
    groups: [{ topic: orders, group: 'billing' }],
    sources: { orders: { Placed: { fetch: async () => ({ data: { n: 99 } }) } } },
    actorOf: (c) => {
      if (c.req.header('x-role') === 'viewer') throw new MillraceError('request.forbidden')
      return 'ada'
    },
  })
  const app = httpApp({ logger: silent, context })
  app.use(bearerToken({ tokens: ['sesame'] }))
  app.route('/', api)
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await app.request(path, {
      method,
      headers: { authorization: 'Bearer sesame', 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const places = { dead: -1, held: -1 }
  const at = (partition: number): GroupPartition => ({ topic: orders, group: 'billing', partition })
  for (let n = 0; places.dead < 0 || places.held < 0; n += 1) {
    const key = `k${n}`
    const event = () => newEvent(orders, { type: 'Placed', key, data: { n: 1 } })
    const [result] = await log.append(orders, [{ events: Array.from({ length: letters + 1 }, event) }])
    const positions = result?.status === 'appended' ? result.positions : []
    const partition = positions[0]?.partition ?? 0
    const kind = places.dead < 0 ? 'dead' : 'held'
    if (kind === 'held' && partition === places.dead) continue
    places[kind] = partition
    const lease = await store.acquire(at(partition), 'm', 10_000)
    const dead = positions.slice(0, letters).map(({ seq, id }) => ({
      ...letter(seq, id, key),
      type: 'Placed',
      fingerprint: seq % 2 === 0 ? 'even' : 'odd',
      message: 'no answer from zoe@example.org',
    }))
    const park = held(key, 1, letters + 1, letters)
    const parks = [{ ...park, note: { ...park.note, type: 'Placed', id: positions[0]?.id ?? '' } }]
    const last = positions.at(-1)
    await store.commit(at(partition), {
      token: lease?.token ?? '',
      n: 1,
      position: { id: last?.id ?? '', seq: last?.seq ?? 0 },
      ahead: [],
      dead: kind === 'dead' ? dead : [],
      ...(kind === 'held' ? { parks } : {}),
    })
  }
  const path = (kind: 'dead' | 'held', seq = 1) => `/dead-letters/orders/billing/${places[kind]}/${seq}`
  return { app, send, store, at, places, path }
}

const list = '/dead-letters?topic=orders&group=billing'

test('lists page by page over all partitions, texts masked, and filters', async () => {
  const { send } = await open()
  const seqs: unknown[] = []
  let after = ''
  do {
    const { body } = await send(
      'GET',
      `${list}&limit=3${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`,
    )
    const items = body['items'] as { partition: number; seq: number }[]
    seqs.push(...items.map(({ partition, seq }) => `${partition}/${seq}`))
    after = (body['next'] as string | null) ?? ''
  } while (after !== '')
  expect(new Set(seqs).size).toBe(letters + 1)
  expect(seqs).toHaveLength(letters + 1)
  const even = await send('GET', `${list}&class=even`)
  expect(even.body['items']).toHaveLength(3)
  expect(JSON.stringify(even.body)).not.toContain('zoe@')
  expect((await send('GET', `${list}&status=held`)).body['items']).toMatchObject([
    { status: 'held', behind: letters },
  ])
  expect(await send('GET', '/dead-letters?topic=orders&group=none')).toMatchObject({
    status: 404,
    body: { code: 'group.unknown' },
  })
  const { body } = await send('GET', '/dead-letters/counts?topic=orders&group=billing')
  expect(JSON.stringify(body)).toContain('{"name":"even","count":3}')
})

test('shows one with its event and what has overtaken it; as it is to those who may repair alone', async () => {
  const { send, path } = await open()
  const masked = await send('GET', path('dead'))
  expect(masked).toMatchObject({
    status: 200,
    body: { overtaken: { count: letters }, event: { type: 'Placed' } },
  })
  expect(JSON.stringify(masked.body)).not.toContain('zoe@')
  expect(JSON.stringify((await send('GET', `${path('dead')}?plain=true`)).body)).toContain('zoe@')
  expect(await send('GET', `${path('dead')}?plain=true`, undefined, { 'x-role': 'viewer' })).toMatchObject({
    status: 403,
  })
  expect(await send('GET', path('dead', 99))).toMatchObject({ status: 404, body: { code: 'repair.gone' } })
})

test('repairs one: problems say why not, a repeat by the same key is a success', async () => {
  const { send, path, store, at, places } = await open()
  const repairs = `${path('dead')}/repairs`
  const said = { reason: 'mended' }
  const overtaken = await send('POST', repairs, { ...said, action: 'requeue' })
  expect(overtaken).toMatchObject({
    status: 409,
    body: { code: 'repair.overtaken', overtaken: { count: letters } },
  })
  const viewer = await send('POST', repairs, { ...said, action: 'ignore' }, { 'x-role': 'viewer' })
  expect(viewer).toMatchObject({ status: 403, body: { code: 'request.forbidden' } })
  for (const body of [
    { action: 'ignore' },
    { ...said, action: 'burn' },
    { ...said, action: 'edit' },
    { ...said, action: 'ignore', data: {} },
  ])
    expect(await send('POST', repairs, body)).toMatchObject({
      status: 400,
      body: { code: 'request.invalid' },
    })
  const wrong = await send('POST', repairs, { ...said, action: 'edit', data: { n: 'x' }, force: true })
  expect(wrong).toMatchObject({ status: 400, body: { code: 'event.invalid' } })
  const edit = { ...said, action: 'edit', patch: { n: 5 }, force: true }
  const key = { 'idempotency-key': 'order-7' }
  expect(await send('POST', repairs, { ...edit, dryRun: true })).toMatchObject({ body: { status: 'ruled' } })
  expect((await store.audit(at(places.dead))).counters.requeued).toBe(0)
  expect(await send('POST', repairs, edit, key)).toMatchObject({
    status: 200,
    body: { status: 'ruled', on: 'dead' },
  })
  expect((await store.rulings(at(places.dead), [1])).get(1)).toMatchObject({ by: 'ada', data: { n: 5 } })
  const entries = await send('GET', `/repairs?topic=orders&group=billing&partition=${places.dead}`)
  expect(entries.body['items']).toMatchObject([{ by: 'ada', reason: 'mended', kind: 'corrected', seq: 1 }])
})

test('repairs a held key as a whole, and its head by its source', async () => {
  const { send, path, store, at, places } = await open()
  const fetched = await send('POST', `${path('held')}/repairs`, {
    action: 'refetch',
    reason: 'old',
    parkNo: 9,
  })
  expect(fetched).toMatchObject({ status: 409, body: { code: 'repair.changed' } })
  const { body: parked } = await send('GET', `/parked?topic=orders&group=billing&partition=${places.held}`)
  const [{ key, parkNo } = { key: '', parkNo: 0 }] = parked['items'] as { key: string; parkNo: number }[]
  const well = await send('POST', `${path('held')}/repairs`, { action: 'refetch', reason: 'old', parkNo })
  expect(well).toMatchObject({ status: 200, body: { status: 'ruled', on: 'head' } })
  expect((await store.rulings(at(places.held), [1])).get(1)?.data).toEqual({ n: 99 })
  const whole = `/parked/orders/billing/${places.held}/repairs`
  const { body } = await send('POST', whole, { action: 'ignore', reason: 'closed', key })
  expect(body['outcomes']).toHaveLength(letters + 1)
})

test('repairs a selection page by page, and goes on by what each answer says', async () => {
  const { send, store, at, places } = await open()
  let after: string | undefined
  let count = 0
  do {
    const { status, body } = await send(
      'POST',
      '/dead-letters/repairs',
      {
        topic: 'orders',
        group: 'billing',
        filter: { class: 'odd' },
        action: 'ignore',
        reason: 'bad import',
        limit: 2,
        ...(after === undefined ? {} : { after }),
      },
      { 'idempotency-key': 'order-8' },
    )
    expect(status).toBe(200)
    count += (body['outcomes'] as unknown[]).length
    after = (body['next'] as string | null) ?? undefined
  } while (after !== undefined)
  expect(count).toBe(4)
  expect(await store.audit(at(places.dead))).toMatchObject({
    counters: { dead: 3, done: 5 },
    differences: [],
  })
})

test('is described, and says nothing without the token', async () => {
  const { app } = await open()
  expect((await app.request(list)).status).toBe(401)
  const { paths } = await makeDocument(app, { title: 'Operations', version: '1' })
  expect(Object.keys(paths ?? {}).toSorted()).toEqual([
    '/dead-letters',
    '/dead-letters/counts',
    '/dead-letters/repairs',
    '/dead-letters/{topic}/{group}/{partition}/{seq}',
    '/dead-letters/{topic}/{group}/{partition}/{seq}/repairs',
    '/effects',
    '/effects/repairs',
    '/effects/{topic}/{group}/{partition}/{id}',
    '/effects/{topic}/{group}/{partition}/{id}/repairs',
    '/parked',
    '/parked/{topic}/{group}/{partition}/repairs',
    '/repairs',
  ])
})
