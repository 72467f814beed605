import { topic } from '@millrace/event'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Change } from './change.ts'
import { outboxMapping } from './outbox-mapping.ts'
import { tableMapping } from './table-mapping.ts'

const open = z.record(z.string(), z.unknown())
const shop = topic('shop', { types: { OrderInserted: open, OrderUpdated: open }, partitions: 4 })
const table = 'public.orders'
const change = (part: Partial<Change>): Change => ({ kind: 'insert', table, index: 0, bytes: 1, ...part })

test('a name stands for the types of all kinds, and a key may be a text with columns', () => {
  const { map, snapshot } = tableMapping({ table, topic: shop, key: 'order-{id}', events: 'Order' })
  expect(snapshot).toBe(true)
  const row = { id: 7, total: '1.50' }
  expect(map(change({ row }))).toEqual([{ type: 'OrderInserted', key: 'order-7', data: row }])
  expect(map(change({ kind: 'update', row, unchanged: ['text'] }))).toEqual([
    { type: 'OrderUpdated', key: 'order-7', data: { ...row, $unchanged: ['text'] } },
  ])
  expect(map(change({ kind: 'delete', before: { id: 7 } }))).toEqual([
    { type: 'OrderDeleted', key: 'order-7', data: { id: 7 } },
  ])
  expect(map({ kind: 'snapshot', table, row, key: ['7'] })).toMatchObject([{ type: 'OrderSnapshot' }])
})

test('a row that gets another key leaves the old one', () => {
  const { map } = tableMapping({ table, topic: shop, key: 'id', events: 'Order' })
  expect(map(change({ kind: 'update', before: { id: 7 }, row: { id: 8, v: 1 } }))).toEqual([
    { type: 'OrderDeleted', key: '7', data: { id: 7 } },
    { type: 'OrderInserted', key: '8', data: { id: 8, v: 1 } },
  ])
  expect(map(change({ kind: 'update', before: { v: 0 }, row: { id: 8, v: 1 } }))).toHaveLength(1)
})

test('a kind without a type is not told', () => {
  const { map, snapshot } = tableMapping({
    table,
    topic: shop,
    key: 'id',
    events: { insert: 'OrderInserted' },
  })
  expect(snapshot).toBe(false)
  expect(map(change({ kind: 'delete', before: { id: 1 } }))).toEqual([])
})

test('a column that is needed and gone, a key that is null, and a truncate that nobody has thought of are refused', () => {
  const { map } = tableMapping({ table, topic: shop, key: 'id', events: 'Order', columns: ['id', 'total'] })
  expect(map(change({ row: { id: 1, total: 2, more: 3 } }))[0]?.data).toEqual({ id: 1, total: 2 })
  expect(() => map(change({ row: { id: 1 } }))).toThrow('no column total')
  expect(() => map(change({ row: { id: null, total: 1 } }))).toThrow('Column id of the key')
  expect(() => map(change({ kind: 'truncate' }))).toThrow('truncated')
})

test('a truncate is told in each partition', () => {
  const { map } = tableMapping({ table, topic: shop, key: 'id', events: { truncate: 'OrdersEmptied' } })
  expect(map(change({ kind: 'truncate' }))).toHaveLength(4)
  const ignoring = tableMapping({ table, topic: shop, key: 'id', events: 'Order', truncate: 'ignore' })
  expect(ignoring.map(change({ kind: 'truncate' }))).toEqual([])
})

test('a row of an outbox is an event, and its removal is none', () => {
  const { map } = outboxMapping({ table: 'public.outbox', topic: shop })
  const row = { id: 1, type: 'OrderInserted', key: 'order-7', data: { a: 1 }, correlation_id: 'click-7' }
  expect(map(change({ row }))).toEqual([
    { type: 'OrderInserted', key: 'order-7', data: { a: 1 }, correlationId: 'click-7' },
  ])
  expect(map(change({ kind: 'delete', before: { id: 1 } }))).toEqual([])
  expect(() => map(change({ row: { ...row, type: null } }))).toThrow('Column type of the outbox')
})
