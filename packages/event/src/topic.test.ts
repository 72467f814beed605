import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { decodeEvent, encodeEvent, newEvent } from './codec.ts'
import type { Event } from './event.ts'
import { partitionOf } from './partition.ts'
import { type EventOf, topic, upcast } from './topic.ts'

const orders = topic('orders', {
  types: {
    Placed: {
      version: 3,
      schema: z.object({ total: z.number(), currency: z.string() }),
      upcasters: {
        1: (data) => ({ total: (data as { amount: number }).amount }),
        2: (data) => ({ ...(data as { total: number }), currency: 'EUR' }),
      },
    },
    Shipped: z.object({ carrier: z.string().min(1) }),
  },
})

const invalid = (code = 'event.invalid'): unknown => expect.objectContaining({ code })

describe('topics', () => {
  test('give their events as a typed union', () => {
    expectTypeOf<EventOf<typeof orders>>().toEqualTypeOf<
      Event<'Placed', { total: number; currency: string }> | Event<'Shipped', { carrier: string }>
    >()
  })

  test.each([
    ['a name with capitals', () => topic('Orders', { types: {} })],
    ['no partition', () => topic('orders', { types: {}, partitions: 0 })],
    ['too many partitions', () => topic('orders', { types: {}, partitions: 2_000 })],
    [
      'a missing upcaster',
      () => topic('orders', { types: { A: { version: 2, schema: z.object({}), upcasters: {} } } }),
    ],
  ])('declared with %s are a mistake in code', (_, declare) => {
    expect(declare).toThrow(TypeError)
  })

  test('bring old events to the present version', () => {
    const old = {
      ...newEvent(orders, { type: 'Shipped', key: 'o1', data: { carrier: 'x' } }),
      type: 'Placed',
      data: { amount: 5 },
    }
    expect(upcast(orders, old)).toMatchObject({ dataversion: 3, data: { total: 5, currency: 'EUR' } })
    expect(upcast(orders, { ...old, dataversion: 2, data: { total: 7 } })).toMatchObject({
      data: { total: 7, currency: 'EUR' },
    })
    expect(() => upcast(orders, { ...old, data: null })).toThrow(invalid('upcaster.failed'))
    expect(() => upcast(orders, { ...old, dataversion: 4 })).toThrow(invalid('upcaster.failed'))
    expect(() => upcast(orders, { ...old, type: 'toString' })).toThrow(invalid('type.unknown'))
    expect(() => upcast(orders, { ...old, type: 'Shipped', data: {} })).toThrow(invalid())
  })
})

describe('events', () => {
  test('are filled in and come back from their JSON as they were', () => {
    const event = newEvent(
      orders,
      { type: 'Placed', key: 'o1', data: { total: 1, currency: 'EUR' }, actor: 'anna' },
      { now: () => 0 },
    )
    expect(event).toMatchObject({
      source: '/millrace/orders',
      subject: 'o1',
      time: '1970-01-01T00:00:00.000Z',
      dataversion: 3,
      correlationid: event.id,
      actor: 'anna',
    })
    expect(decodeEvent(encodeEvent(orders, event))).toEqual(event)
  })

  test('name every fault of their data and of their envelope', () => {
    expect(() => newEvent(orders, { type: 'Placed', key: 'o1', data: { total: 'x' } })).toThrow(
      expect.objectContaining({
        errors: [expect.objectContaining({ field: 'total' }), expect.objectContaining({ field: 'currency' })],
      }),
    )
    expect(() => newEvent(orders, { type: 'Lost', key: 'o1', data: {} })).toThrow(invalid('type.unknown'))
    const good = { type: 'Shipped', key: 'o1', data: { carrier: 'x' } }
    for (const wrong of [
      { key: '' },
      { key: 'a\u0000' },
      { key: '\ud800' },
      { key: 'x'.repeat(513) },
      { source: 'a b' },
      { time: 'soon' },
      { actor: '' },
    ])
      expect(() => newEvent(orders, { ...good, ...wrong })).toThrow(invalid())
    expect(() => newEvent(orders, { ...good, data: { carrier: '\udfff' } })).toThrow(invalid('json.invalid'))
  })

  test('have a size that is counted in bytes', () => {
    const small = topic('small', { types: { T: z.string() }, maxEventBytes: 400 })
    const event = (text: string) => encodeEvent(small, newEvent(small, { type: 'T', key: 'k', data: text }))
    expect(() => event('x'.repeat(150))).not.toThrow()
    expect(() => event('你'.repeat(150))).toThrow(invalid('event.too-large'))
  })
})

describe('partitions', () => {
  test('are pinned: a key stays where its history is', () => {
    expect(['a', 'order-1', 'schlüssel', ''].map((key) => partitionOf(key, 8))).toEqual([3, 4, 3, 3])
  })

  test('are filled evenly by keys that differ in their end', () => {
    const keys = Array.from({ length: 16_000 }, (_, at) => `customer-${at}`)
    const counts = [...Map.groupBy(keys, (key) => partitionOf(key, 16)).values()].map((group) => group.length)
    expect(counts).toHaveLength(16)
    expect(Math.min(...counts)).toBeGreaterThan(850)
    expect(Math.max(...counts)).toBeLessThan(1_150)
  })
})
