import { expect, test } from 'vitest'
import { carryOut, moveTo, type Order } from './order.ts'

const order: Order = {
  id: 'O1',
  supplier: 'S1',
  status: 'open',
  orderedOn: '2026-01-01',
  lines: [
    { line: 1, product: 'P1', quantity: 10, dueOn: '2026-02-01', status: 'open', version: 1 },
    { line: 2, product: 'P2', quantity: 5, dueOn: '2026-02-01', status: 'open', version: 1 },
  ],
  version: 3,
}

test('a line is cancelled, postponed or brought forward, and the version grows', () => {
  const cancelled = carryOut(order, 1, { action: 'cancel' }, 1)
  expect(cancelled).toMatchObject({ status: 'open', version: 4, lines: [{ status: 'cancelled' }, {}] })
  expect(carryOut(order, 2, { action: 'postpone', dueOn: '2026-03-01' }, 1).lines[1]?.dueOn).toBe(
    '2026-03-01',
  )
  expect(carryOut(order, 2, { action: 'bring-forward', dueOn: '2026-01-15' }, 1).lines[1]?.dueOn).toBe(
    '2026-01-15',
  )
})

test('the last line cancelled cancels the order', () => {
  const once = carryOut(order, 1, { action: 'cancel' }, 1)
  expect(carryOut(once, 2, { action: 'cancel' }, 1)).toMatchObject({ status: 'cancelled', version: 5 })
})

test.each([
  ['order.line-unknown', order, 3, { action: 'cancel' }],
  ['order.finished', { ...order, status: 'shipped' }, 1, { action: 'cancel' }],
  ['append.version', carryOut(order, 1, { action: 'cancel' }, 1), 1, { action: 'cancel' }],
  ['request.invalid', order, 1, { action: 'postpone', dueOn: '2026-02-01' }],
  ['request.invalid', order, 1, { action: 'postpone', dueOn: '2026-01-31' }],
  ['request.invalid', order, 1, { action: 'bring-forward', dueOn: '2026-02-02' }],
] as const)('%s', (code, of, line, action) => {
  expect(() => carryOut(of as Order, line, action, 1)).toThrow(expect.objectContaining({ code }))
})

test('an order that came to its end stays there', () => {
  const delivered = moveTo(moveTo(order, 'shipped'), 'delivered')
  expect(delivered.version).toBe(5)
  for (const status of ['open', 'shipped', 'delivered', 'cancelled'] as const)
    expect(() => moveTo(delivered, status)).toThrow(expect.objectContaining({ code: 'order.finished' }))
  expect(moveTo(order, 'cancelled').lines.every((line) => line.status === 'cancelled')).toBe(true)
})
