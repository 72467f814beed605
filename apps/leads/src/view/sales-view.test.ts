import { newEvent } from '@millrace/event'
import { appendOne, beginning, createMemoryLog, type EventLog } from '@millrace/log'
import { rebuildView, type ViewStore } from '@millrace/view'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../../test/support/postgres.ts'
import { type SalesEvent, sales } from '../sales-topic.ts'
import { createMemorySalesView } from './memory-sales-rows.ts'
import { openSalesView } from './postgres-sales-rows.ts'
import type { SalesRows } from './sales-rows.ts'
import { salesView } from './sales-view.ts'

let server: TestPostgres
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => {
  for (const close of closing) await close()
  await server.stop()
})

let schemas = 0
async function openPostgres(): Promise<ViewStore<SalesRows>> {
  const view = await openSalesView({
    url: server.url,
    schema: `leads_${++schemas}`,
    onError: () => undefined,
  })
  closing.push(() => view.close())
  return view
}

/** Brings everything of some buyers into a view, in the order of the log; twice, as after a crash. */
async function filled(
  view: ViewStore<SalesRows>,
  log: EventLog = createMemoryLog(),
): Promise<ViewStore<SalesRows>> {
  await view.prepare()
  const put = async (key: string, draft: Pick<SalesEvent, 'type' | 'data'>) =>
    appendOne(log, sales, { events: [newEvent(sales, { ...draft, key })] })
  for (const key of ['ada', 'bob', 'Cid']) {
    await put(key, { type: 'LeadsChanged', data: { low: true, high: [], open: 1 } })
    await put(key, { type: 'QuoteMade', data: { offer: 'o', car: 'car "x"', price: 5 } })
  }
  await put('ada', { type: 'BuyerContacted', data: {} })
  await put('bob', { type: 'LeadsChanged', data: { low: false, high: ['car "x"', 'y'], open: 0 } })
  const task = (id: string) => ({ task: id, offer: 'o', car: 'y', acceptance: 2 })
  for (const id of ['t1', 't2', 't3']) await put('bob', { type: 'CallTaskOpened', data: task(id) })
  await put('bob', { type: 'CallTaskCancelled', data: task('t1') })
  await put('bob', { type: 'CallTaskDone', data: { task: 't1' } })
  await put('bob', { type: 'CallTaskDone', data: { task: 't2' } })
  await put('bob', { type: 'CallTaskCancelled', data: task('t2') })
  await put('bob', { type: 'CallTaskOpened', data: task('t2') })
  for (let round = 0; round < 2; round++)
    for (let partition = 0; partition < sales.partitions; partition++) {
      const read = await log.read(sales, new Map([[partition, beginning]]))
      const events = read.get(partition) ?? []
      if (events.length > 0) await view.apply(events, salesView)
    }
  return view
}

describe.each([
  ['memory', async () => createMemorySalesView()],
  ['PostgreSQL', openPostgres],
])('leads and tasks as lists in %s', (_, open) => {
  it('are what the events of sales say, each counted once, by filter and part', async () => {
    const view = await filled(await open())
    const leads = (...[filter, part]: Parameters<SalesRows['leads']>) =>
      view.read(async (rows) => (await rows.leads(filter, part)).map(({ buyer }) => buyer).join(' '))
    expect(await leads({}, { limit: 9 })).toBe('Cid ada bob')
    expect(await leads({}, { limit: 1, cursor: 'Cid' })).toBe('ada')
    expect(await leads({ low: true }, { limit: 9 })).toBe('Cid ada')
    expect(await leads({ high: true }, { limit: 9 })).toBe('bob')
    expect(await leads({ high: false }, { limit: 9 })).toBe('Cid ada')
    expect(await leads({ car: 'car "x"' }, { limit: 9 })).toBe('bob')
    const [bob] = await view.read((rows) => rows.leadsOf(['bob']))
    expect(bob).toMatchObject({ low: false, high: ['car "x"', 'y'], open: 0, quotes: 1, contacted: false })
    const tasks = await view.read((rows) => rows.tasks({ buyer: 'bob' }, { limit: 9 }))
    expect(tasks.map(({ id, state }) => `${id} ${state}`)).toEqual(['t1 cancelled', 't2 done', 't3 open'])
    expect(await view.read((rows) => rows.tasks({ state: 'done' }, { limit: 9 }))).toHaveLength(1)
  })

  it('are the same when they are made anew, whole or from a position', async () => {
    const log = createMemoryLog()
    const view = await filled(await open(), log)
    const content = () =>
      view.read(async (rows) => [await rows.leads({}, { limit: 9 }), await rows.tasks({}, { limit: 9 })])
    const right = await content()
    const spoil = async (buyer: string): Promise<void> => {
      // As a fold with a bug would have left it.
      const bug = { ...salesView, lastSeqs: async () => new Map<string, number>() }
      const last = (await log.readKey(sales, buyer)).events.at(-1)
      const at = last && { ...last.position, seq: last.position.seq + 1, id: `${last.position.id}0` }
      const event = last && { ...last.event, type: 'LeadsChanged', data: { low: true, high: [], open: 9 } }
      if (at && event) await view.apply([{ event, position: at }], bug)
    }
    await spoil('bob')
    expect(await content()).not.toEqual(right)
    await rebuildView({ view: salesView, store: view, log })
    expect(await content()).toEqual(right)

    const { events } = await log.readKey(sales, 'bob')
    for (const from of [events[0], events[4], events.at(-1)]) {
      await spoil('bob')
      expect(await content()).not.toEqual(right)
      await rebuildView({ view: salesView, store: view, log, ...(from ? { from: from.position } : {}) })
      expect(await content()).toEqual(right)
    }
  })
})
