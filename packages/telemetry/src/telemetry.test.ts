import { channel } from 'node:diagnostics_channel'
import {
  childTrace,
  continueTrace,
  isSampled,
  MillraceError,
  tellWork,
  traceContextOf,
  workTraced,
} from '@millrace/event'
import { afterEach, expect, test } from 'vitest'
import { OtlpCollector } from '../../../test/support/otlp-collector.ts'
import { samplerOf, startTracing, type Tracing } from './index.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function tracing(more: Partial<Parameters<typeof startTracing>[0]> = {}) {
  const collector = await OtlpCollector.start()
  ends.push(() => collector.stop())
  const started: Tracing = await startTracing({
    ...{ endpoint: collector.url, service: 'test', version: '1.2.3', instance: 'one' },
    ...more,
  })
  ends.push(() => started.stop())
  return { collector, started }
}

const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
const answered = {
  kind: 'request',
  method: 'GET',
  route: '/users/:id',
  startMs: 1_700_000_000_123.25,
  tookMs: 4.5,
} as const

test('what is told is sent by OTLP as spans with the ids, times and attributes that it was told with', async () => {
  const { collector, started } = await tracing({ headers: { authorization: 'Bearer of-the-collector' } })
  const traceparent = childTrace(parent)
  tellWork({ ...answered, traceparent, parent, correlationId: 'c-1', status: 200 })
  await started.flush()
  const { traceId, spanId } = traceContextOf(traceparent) ?? {}
  expect(collector.headers[0]).toMatchObject({ authorization: 'Bearer of-the-collector' })
  expect(collector.spans).toMatchObject([
    {
      ...{
        name: 'GET /users/:id',
        kind: 2,
        traceId,
        spanId,
        parentSpanId: 'b'.repeat(16),
        failed: false,
        service: 'test',
      },
      ...{ startNs: 1_700_000_000_123_250_000n, endNs: 1_700_000_000_127_750_000n },
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/users/:id',
        'http.response.status_code': 200,
        'millrace.correlation_id': 'c-1',
      },
    },
  ])
})

test('messaging spans are named and described as the semantic conventions have it', async () => {
  const { collector, started } = await tracing()
  tellWork({
    ...{
      kind: 'delivery',
      traceparent: childTrace(parent),
      parent,
      correlationId: 'c-1',
      startMs: 1,
      tookMs: 1,
    },
    ...{
      topic: 'accounts',
      group: 'mail',
      partition: 3,
      eventId: 'e-1',
      type: 'AccountCreated',
      seq: 7,
      attempt: 2,
      late: false,
    },
  })
  await started.flush()
  expect(collector.spans).toMatchObject([
    {
      ...{ name: 'process accounts', kind: 5 },
      attributes: {
        'messaging.system.name': 'millrace',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'accounts',
        'messaging.destination.partition.id': '3',
        'messaging.consumer.group.name': 'mail',
        'messaging.message.id': 'e-1',
        'messaging.message.conversation_id': 'c-1',
        'millrace.attempt': 2,
      },
    },
  ])
})

test('a failure says its class and its masked message, and nothing of its stack', async () => {
  const { collector, started } = await tracing()
  const error = new MillraceError('log.unavailable', 'No answer for jane.doe@example.org')
  tellWork({ ...answered, kind: 'call', peer: 'uniq', traceparent: childTrace(parent), parent, error })
  tellWork({ ...answered, traceparent: childTrace(parent), parent, status: 503 })
  await started.flush()
  expect(collector.spans).toMatchObject([
    { failed: true, attributes: { 'error.type': 'log.unavailable' } },
    { failed: true, attributes: { 'error.type': '503' } },
  ])
  const text = collector.spans.map((span) => span.text).join()
  expect(text).toContain('No answer for')
  expect(text).not.toContain('jane.doe')
  expect(text).not.toContain('telemetry.test.ts')
})

test('what cannot be read, or breaks, ends nothing', async () => {
  const troubles: unknown[] = []
  const { collector, started } = await tracing({ onTrouble: (error) => troubles.push(error) })
  tellWork({ ...answered, traceparent: 'garbage', status: 200 })
  channel('millrace.append').publish({ kind: 'units' })
  tellWork({
    ...answered,
    traceparent: childTrace(parent),
    parent: 'garbage',
    links: ['garbage', parent],
    status: 200,
  })
  await started.flush()
  expect(collector.spans).toMatchObject([{ parentSpanId: undefined, links: [{ spanId: 'b'.repeat(16) }] }])
  expect(troubles).toHaveLength(1)
})

test('a collector that is away is said, and holds up neither the work nor the end', async () => {
  const troubles: unknown[] = []
  const started = await startTracing({
    ...{ endpoint: 'http://127.0.0.1:9/base', service: 'test', version: '1', instance: 'one', stopMs: 200 },
    onTrouble: (error) => troubles.push(error),
  })
  tellWork({ ...answered, traceparent: childTrace(parent), status: 200 })
  const from = performance.now()
  await started.stop()
  expect(performance.now() - from).toBeLessThan(5_000)
})

test('nobody is told anything before tracing has begun, and after its end', async () => {
  expect(workTraced()).toBe(false)
  const { started } = await tracing()
  expect(workTraced()).toBe(true)
  await started.stop()
  expect(workTraced()).toBe(false)
})

test('samplers decide by the id of the trace, and parent based ones as the caller has', () => {
  const byRatio = samplerOf('traceidratio', 0.25)
  let recorded = 0
  for (let n = 0; n < 4_000; n++) recorded += isSampled(continueTrace(undefined, byRatio)) ? 1 : 0
  expect(recorded).toBeGreaterThan(800)
  expect(recorded).toBeLessThan(1_200)
  const lowest = '0'.repeat(31) + '1'
  const highest = 'f'.repeat(32)
  expect([byRatio(lowest, false), byRatio(highest, true)]).toEqual([true, false])
  const byParent = samplerOf('parentbased_traceidratio', 0.25)
  expect([byParent(lowest, false), byParent(highest, true), byParent(lowest, undefined)]).toEqual([
    false,
    true,
    true,
  ])
  expect(samplerOf('always_off', 1)(lowest, true)).toBe(false)
  expect(samplerOf('always_on', 0)(highest, false)).toBe(true)
  expect(samplerOf('traceidratio', 1)(highest, undefined)).toBe(true)
  expect(samplerOf('traceidratio', 0)(lowest, undefined)).toBe(false)
})
