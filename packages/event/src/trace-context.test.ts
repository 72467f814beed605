import { expect, test } from 'vitest'
import { correlationOf } from './correlation-id.ts'
import { childTrace, continueTrace, isSampled, derivedTrace, traceContextOf } from './trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const given = `00-${traceId}-00f067aa0ba902b7-01`

test('the caller’s trace goes on with a span of our own, and with the caller’s decision', () => {
  const ours = continueTrace(given)
  expect(traceContextOf(ours)).toMatchObject({ traceId, sampled: true })
  expect(ours).not.toBe(given)
  expect(isSampled(continueTrace(given.replace(/01$/, '00')))).toBe(false)
})

test.each([
  undefined,
  '',
  'garbage',
  `ff-${traceId}-00f067aa0ba902b7-01`,
  `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
])('out of %j a new trace begins, which is not recorded unless a sampler says so', (bad) => {
  expect(traceContextOf(bad)).toBeUndefined()
  expect(traceContextOf(continueTrace(bad))).toMatchObject({ sampled: false })
  expect(
    traceContextOf(continueTrace(bad, (id, caller) => id.length === 32 && caller === undefined)),
  ).toMatchObject({
    sampled: true,
  })
})

test('every flag is read as its lowest bit says', () => {
  for (let flags = 0; flags < 256; flags++) {
    const traceparent = given.slice(0, -2) + flags.toString(16).padStart(2, '0')
    expect(isSampled(traceparent)).toBe(flags % 2 === 1)
    expect(traceContextOf(traceparent)?.sampled).toBe(flags % 2 === 1)
  }
  expect(isSampled(undefined)).toBe(false)
})

test('a child has the trace and the decision of its parent', () => {
  const child = childTrace(given)
  expect(traceContextOf(child)).toMatchObject({ traceId, sampled: true })
  expect(child).toHaveLength(55)
  expect(child).not.toBe(given)
})

test('whoever knows an id and its parts comes to the same span of the same trace', () => {
  const [one, again, other] = [
    derivedTrace('my order', '0', '7'),
    derivedTrace('my order', '0', '7'),
    derivedTrace('my order', '0', '8'),
  ]
  expect(one).toBe(again)
  const [first, second] = [traceContextOf(one), traceContextOf(other)]
  expect(first).toMatchObject({ sampled: true })
  expect(second?.traceId).toBe(first?.traceId)
  expect(second?.spanId).not.toBe(first?.spanId)
})

test('a correlation id that is well formed is taken, any other is replaced', () => {
  expect(correlationOf('order-17:b')).toBe('order-17:b')
  for (const bad of [undefined, '', 'a b', 'x'.repeat(129), 'a\r\nBcc: b'])
    expect(correlationOf(bad)).toMatch(/^[0-9a-f-]{36}$/)
})
