import { describe, expect, it } from 'vitest'
import { metricNames } from './metric-names.ts'
import { Metrics } from './metrics.ts'
import { requestMeter } from './request-meter.ts'

const things = { kind: 'counter', name: 'millrace_things_total', help: 'Things', labels: ['kind'] } as const
const seconds = { kind: 'histogram', name: 'millrace_wait_seconds', help: 'Waits', labels: [] } as const
const depth = { kind: 'gauge', name: 'millrace_depth', help: 'Depth', labels: ['topic'] } as const

describe('Metrics', () => {
  it('publishes plain variables when somebody scrapes', async () => {
    const metrics = new Metrics()
    const one = metrics.count(things, 'a')
    one.value += 2
    metrics.count(things, 'b').value += 1
    expect(metrics.count(things, 'a')).toBe(one)
    expect(await metrics.text()).toContain(
      'millrace_things_total{kind="a"} 2\nmillrace_things_total{kind="b"} 1',
    )
    one.value += 1
    expect(await metrics.text()).toContain('millrace_things_total{kind="a"} 3')
  })

  it('publishes histograms with cumulative buckets', async () => {
    const metrics = new Metrics()
    const waits = metrics.histogram(seconds, [0.1, 1])
    for (const value of [0.05, 0.1, 0.5, 7]) waits.observe(value)
    expect(await metrics.text()).toContain(
      [
        '# TYPE millrace_wait_seconds histogram',
        'millrace_wait_seconds_bucket{le="0.1"} 2',
        'millrace_wait_seconds_bucket{le="1"} 3',
        'millrace_wait_seconds_bucket{le="+Inf"} 4',
        'millrace_wait_seconds_sum 7.65',
        'millrace_wait_seconds_count 4',
      ].join('\n'),
    )
  })

  it('reads gauges at the scrape and forgets labels that are gone', async () => {
    const metrics = new Metrics()
    let topics = ['accounts', 'leads']
    metrics.gauge(depth, () => topics.map((topic) => ({ labels: [topic], value: topic.length })))
    expect(await metrics.text()).toContain('millrace_depth{topic="leads"} 5')
    topics = ['accounts']
    expect(await metrics.text()).not.toContain('leads')
  })

  it('refuses the wrong number of label values', () => {
    expect(() => new Metrics().count(things)).toThrow(
      'millrace_things_total has the labels kind, not 0 values',
    )
  })

  it('counts what is beyond the limit of a metric as other, and says so', async () => {
    const metrics = new Metrics({ mostSeries: 2, mostHistograms: 1 })
    for (const kind of ['a', 'b', 'c', 'd']) metrics.count(things, kind).value += 1
    const spread = {
      kind: 'histogram',
      name: 'millrace_spread_seconds',
      help: 'Spread',
      labels: ['of'],
    } as const
    for (const of of ['a', 'b']) metrics.histogram(spread, [1], of).observe(0.5)
    metrics.gauge(depth, () => ['x', 'y', 'z', 'w'].map((topic) => ({ labels: [topic], value: 3 })))
    const text = await metrics.text()
    expect(text).toContain('millrace_things_total{kind="b"} 1\nmillrace_things_total{kind="other"} 2')
    expect(text).toContain('millrace_spread_seconds_count{of="other"} 1')
    expect(text).toContain('millrace_depth{topic="other"} 6')
    expect(await metrics.text()).toContain(
      'millrace_metric_series_folded_total{metric="millrace_things_total"} 2',
    )
  })

  it('leaves out a gauge that fails or hangs, and counts it', async () => {
    const metrics = new Metrics({ readTimeoutMs: 20 })
    metrics.gauge(depth, () => Promise.reject(new Error('away')))
    metrics.gauge({ ...depth, name: 'millrace_width' }, () => new Promise(() => undefined))
    metrics.count(things, 'a').value += 1
    expect(await metrics.text()).toContain('millrace_things_total{kind="a"} 1')
    const text = await metrics.text()
    expect(text).toContain('millrace_metric_readings_failed_total{reading="millrace_depth"} 2')
    expect(text).toContain('millrace_metric_readings_failed_total{reading="millrace_width"} 2')
    expect(text).not.toContain('millrace_depth{')
  })

  it('has exemplars and the names of OpenMetrics for whoever asks for that', async () => {
    const metrics = new Metrics({ nowMs: () => 1_700_000_000_500 })
    metrics.count(things, 'a').value += 1
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    metrics.histogram(seconds, [0.1, 1]).observe(0.5, 1, `00-${traceId}-b7ad6b7169203331-01`)
    const accept =
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
    const { contentType, text } = await metrics.exposition(accept)
    expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(text).toContain('# TYPE millrace_things counter\nmillrace_things_total{kind="a"} 1\n')
    expect(text).toContain(
      `millrace_wait_seconds_bucket{le="1"} 1 # {trace_id="${traceId}"} 0.5 1700000000.5\n`,
    )
    expect(text.endsWith('\n# EOF\n')).toBe(true)
    const plain = await metrics.exposition('text/plain;version=0.0.4')
    expect(plain.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(plain.text).not.toContain('trace_id')
  })

  it('has the figures of the process on request', async () => {
    const text = await new Metrics({ processMetrics: true }).text()
    expect(text).toContain('millrace_process_cpu_user_seconds_total')
    expect(text).toContain('millrace_nodejs_eventloop_lag_p99_seconds')
  })

  it('counts the requests of several services apart', async () => {
    const metrics = new Metrics()
    const gateway = requestMeter(metrics, 'gateway')
    const uniq = requestMeter(metrics, 'uniq')
    gateway.begin()
    gateway.begin()
    gateway.end('GET', '/users/:id', 200, 0.02)
    uniq.begin()
    uniq.end('POST', '/events', 409, 0.001)
    const text = await metrics.text()
    expect(text).toContain(
      'millrace_http_requests_total{service="gateway",method="GET",route="/users/:id",status="200"} 1',
    )
    expect(text).toContain(
      'millrace_http_requests_total{service="uniq",method="POST",route="/events",status="409"} 1',
    )
    expect(text).toContain('millrace_http_requests_in_flight{service="gateway"} 1')
    expect(text).toContain(
      'millrace_http_request_duration_seconds_count{service="gateway",method="GET",route="/users/:id"} 1',
    )
  })
})

describe('metric names', () => {
  it.each(Object.values(metricNames))(
    '$name is in the form that Prometheus asks for',
    ({ name, help, labels }) => {
      expect(name).toMatch(/^millrace_[a-z]+(_[a-z]+)*$/)
      expect(help).not.toMatch(/\.$/)
      for (const label of labels) expect(['id', 'key', 'email', 'address']).not.toContain(label)
    },
  )
})
