import { MillraceError, newEvent } from '@millrace/event'
import { appendOne, createMemoryLog, type MemoryLog } from '@millrace/log'
import { createMemoryGroupStore, run } from '@millrace/processor'
import { afterEach, expect, test } from 'vitest'
import { initialise } from './initialise.ts'
import { type OrderOwner, reviewProcessor } from './review-processor.ts'
import { type OrderDocument, orderKey, productKey, suggestions, supply } from './supply-topic.ts'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** The reviews at work, in memory. */
async function start(
  orders: OrderOwner = { order: () => Promise.reject(new Error('Nobody asks')) },
): Promise<MemoryLog> {
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const running = await run(reviewProcessor({ orders }), {
    ...{ log, store, attempts: Number.POSITIVE_INFINITY, retry: { firstMs: 1, maxMs: 10 } },
  })
  stops.push(() => running.stop())
  return log
}

async function tell(log: MemoryLog, type: keyof typeof supply.types, key: string, data: unknown) {
  await appendOne(log, supply, { events: [newEvent(supply, { type, key, data })] })
}

/** How many lines have a verdict of a kind by now: of each line the last one counts. */
async function linesWith(log: MemoryLog, kind: string): Promise<number> {
  const last = new Map<string, string>()
  for (let partition = 0; partition < suggestions.partitions; partition++) {
    const pages = await log.read(suggestions, new Map([[partition, '0-0']]), { limit: 10_000 })
    for (const { event } of pages.get(partition) ?? [])
      last.set(event.subject, (event.data as { kind: string }).kind)
  }
  return [...last.values()].filter((one) => one === kind).length
}

/** Resolves when so many lines have a verdict of a kind. */
async function until(log: MemoryLog, kind: string, wanted: number): Promise<boolean> {
  for (const untilMs = performance.now() + 120_000; performance.now() < untilMs;) {
    if ((await linesWith(log, kind)) === wanted) return true
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}

const order = (id: string, products: readonly string[], version = 1): OrderDocument => ({
  ...{ id, supplier: 'S1', status: 'open', orderedOn: today(), version },
  lines: products.map((product, at) => ({
    ...{ line: at + 1, product, quantity: 10, dueOn: '2999-01-01', status: 'open', version },
  })),
})

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

test('an order of two hundred lines is told whole, and so is its next version', async () => {
  const log = await start()
  const products = Array.from({ length: 200 }, (_, at) => `P${at}`)
  await tell(log, 'PurchaseOrderChanged', orderKey('O1'), order('O1', products))
  expect(await until(log, 'waiting', 200)).toBe(true)
  const cancelled = { ...order('O1', products, 2), status: 'cancelled' }
  await tell(log, 'PurchaseOrderChanged', orderKey('O1'), cancelled)
  expect(await until(log, 'finished', 200)).toBe(true)
})

test('a product of which more lines change at once than one event may bring about is reviewed to its end', async () => {
  const log = await start()
  for (let n = 0; n < 250; n++)
    await tell(log, 'PurchaseOrderChanged', orderKey(`O${n}`), order(`O${n}`, ['P1']))
  expect(await until(log, 'waiting', 250)).toBe(true)
  const data = { name: 'Hinge', supplier: 'S1', dailyForecast: 10, reorderLevel: 70 }
  await tell(log, 'ProductInformation', productKey('P1'), data)
  await tell(log, 'StockLevelChanged', productKey('P1'), { difference: 5 })
  expect(await until(log, 'bring-forward', 250)).toBe(true)
})

test('an order that had ended before anybody heard of it is told to no product; one that ends later is', async () => {
  const log = await start()
  const ended = { ...order('O1', ['P1', 'P2']), status: 'delivered' }
  await tell(log, 'PurchaseOrderSnapshot', orderKey('O1'), ended)
  await tell(log, 'PurchaseOrderSnapshot', orderKey('O2'), order('O2', ['P1', 'P2']))
  expect(await until(log, 'waiting', 2)).toBe(true)
  const cancelled = { ...order('O2', ['P1', 'P2'], 2), status: 'cancelled' }
  await tell(log, 'PurchaseOrderChanged', orderKey('O2'), cancelled)
  expect(await until(log, 'finished', 2)).toBe(true)
  const { events } = await log.readKey(supply, productKey('P1'))
  expect(events.map(({ event }) => (event.data as { order: string }).order)).toEqual(['O2', 'O2'])
})

test('an order that its owner does not know is settled and said to be unknown; its key goes on', async () => {
  const asked: string[] = []
  const log = await start({
    order: async (id) => {
      asked.push(id)
      // At first it cannot be asked: that is no answer.
      if (asked.length < 3) throw new MillraceError('service.unavailable')
      throw new MillraceError('order.unknown', `There is no order ${id}`)
    },
  })
  await tell(log, 'PurchaseOrderCreated', orderKey('O1'), { id: 'O1' })
  await tell(log, 'PurchaseOrderChanged', orderKey('O1'), order('O1', ['P1'], 2))
  expect(await until(log, 'waiting', 1)).toBe(true)
  expect(asked).toEqual(['O1', 'O1', 'O1'])
  const told = async () => (await log.readKey(supply, orderKey('O1'))).events.map(({ event }) => event)
  await expect.poll(async () => (await told()).length).toBe(3)
  const [created, , unknown] = await told()
  expect(unknown).toMatchObject({
    ...{ type: 'PurchaseOrderUnknown', data: { id: 'O1' }, causationid: created?.id },
  })
})

test('an order that is deleted at its owner is at its end; what is older brings nothing back', async () => {
  const log = await start()
  const known = order('O1', ['P1', 'P2'], 3)
  await tell(log, 'PurchaseOrderChanged', orderKey('O1'), known)
  expect(await until(log, 'waiting', 2)).toBe(true)
  await tell(log, 'PurchaseOrderDeleted', orderKey('O1'), known)
  expect(await until(log, 'finished', 2)).toBe(true)
  // The same version again, in a picture that was taken before.
  await tell(log, 'PurchaseOrderSnapshot', orderKey('O1'), known)
  await tell(log, 'PurchaseOrderChanged', orderKey('O2'), order('O2', ['P1', 'P2']))
  expect(await until(log, 'waiting', 2)).toBe(true)
  expect(await linesWith(log, 'finished')).toBe(2)
})

test('what is published while a system is being filled is newer than what it is filled with', async () => {
  const log = await start()
  const day = { name: 'Hinge', supplier: 'S1', dailyForecast: 10 }
  const fill = (reorderLevel: number, meanwhile: () => Promise<void>) =>
    initialise({
      log,
      correlationId: 'c-1',
      snapshot: async () => {
        await meanwhile()
        return lines([
          { watermark: '0/10' },
          { product: { id: 'P1', ...day, reorderLevel } },
          { stock: { product: 'P1', quantity: 5 } },
          { order: order('O1', ['P1']) },
          { end: 3 },
        ])
      },
    })
  await fill(0, () => tell(log, 'ProductInformation', productKey('P1'), { ...day, reorderLevel: 70 }))
  expect(await until(log, 'bring-forward', 1)).toBe(true)
  // Later pictures hold what was published before them.
  await fill(0, async () => undefined)
  expect(await until(log, 'keep', 1)).toBe(true)
})

async function* lines(all: readonly object[]): AsyncGenerator<string> {
  for (const one of all) yield JSON.stringify(one)
}
