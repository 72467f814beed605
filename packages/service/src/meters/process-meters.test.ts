import { MillraceError, newEvent, topic } from '@millrace/event'
import { createMemoryLog, tellAppend } from '@millrace/log'
import { createMemoryGroupStore, processor, run } from '@millrace/processor'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Metrics } from '../metrics.ts'
import { ProcessMeters } from './process-meters.ts'
import type { RedisFacts } from './redis-gauges.ts'

const leads = topic('leads', { types: { Came: z.object({ n: z.int() }), Left: z.object({}) }, partitions: 2 })
const redis: RedisFacts = {
  ...{ roundTripMs: 0.4, memoryBytes: 1_000, maxMemoryBytes: 2_000, policy: 'noeviction', fsync: 'everysec' },
  ...{ evictedKeys: 0, clients: 3, written: true },
}

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (let end = ends.pop(); end; end = ends.pop()) await end()
})

function metersOn(look: () => Promise<RedisFacts> = () => Promise.resolve(redis)) {
  const metrics = new Metrics()
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const meters = new ProcessMeters({
    metrics,
    health: {
      report: async () => ({ state: 'degraded', dependencies: { mail: { state: 'degraded', ms: 1 } } }),
    },
    version: '1.2.3',
    groups: async () => ({ store, log }),
    redis: look,
  })
  ends.push(() => meters.end())
  return { metrics, meters, log, store }
}

describe('ProcessMeters', () => {
  it('counts what a running group handles, gives up and skips, with its place and latencies', async () => {
    const { metrics, meters, log, store } = metersOn()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const draft = (key: string, n: number) => newEvent(leads, { type: 'Came', key, data: { n }, traceparent })
    await log.append(leads, [
      ...['a', 'b', 'c'].map((key) => ({ events: [draft(key, 1)] })),
      { events: [draft('bad', 0)] },
      { events: [newEvent(leads, { type: 'Left', key: 'a', data: {} })] },
    ])
    const counted = processor('counted', leads, {
      types: ['Came'],
      onExhausted: 'skip-event',
      handle: ({ data }) => {
        if (data.n === 0) throw new MillraceError('event.invalid', 'It is bad')
      },
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    let settled = 0
    const running = await run(counted, {
      ...{ log, store },
      observe: (event) => {
        if (event.kind === 'progress' && (settled += event.settled) >= 5) resolve()
      },
    })
    ends.push(() => running.stop())
    meters.watchGroup({ topic: leads, group: 'counted', health: () => running.health() })
    await promise
    const { text } = await metrics.exposition('application/openmetrics-text')
    const of = 'topic="leads",group="counted"'
    for (const line of [
      `millrace_events_processed_total{${of},type="Came",outcome="done"} 3`,
      `millrace_events_processed_total{${of},type="Came",outcome="dead"} 1`,
      `millrace_events_processed_total{${of},type="other",outcome="skipped"} 1`,
      `millrace_dead_letters_total{${of},reason="event.invalid"} 1`,
      `millrace_end_to_end_duration_seconds_count{${of}} 4`,
      `millrace_leases_taken_total{${of}} 2`,
      `millrace_leases{${of}} 2`,
      `millrace_lanes{${of}} 4`,
      `millrace_state_lookups_total{${of},outcome="miss"} 4`,
      `millrace_commits_total{${of},outcome="fenced"} 0`,
    ])
      expect(text).toContain(`${line}\n`)
    expect(text).toMatch(
      /millrace_end_to_end_duration_seconds_bucket\{.*\} \d+ # \{trace_id="0af7651916cd43dd8448eb211c80319c"\}/,
    )
    const sum = (name: string, label = '') =>
      [...text.matchAll(new RegExp(`^${name}\\{${of},partition="\\d"${label}\\} (\\d+)$`, 'gm'))]
        .map(([, value]) => Number(value))
        .reduce((total, value) => total + value, 0)
    expect(sum('millrace_group_events', ',place="done"')).toBe(4)
    expect(sum('millrace_group_events', ',place="dead"')).toBe(1)
    expect(sum('millrace_group_lag_events')).toBe(0)
    expect(sum('millrace_group_conservation_differences')).toBe(0)
    expect(text).toMatch(
      /millrace_group_unprocessable_events\{topic="leads",group="counted",reason="[^"]+"\} 1\n/,
    )
  })

  it('counts lag and its age for partitions that nobody owns', async () => {
    const { metrics, meters, log } = metersOn()
    await log.append(leads, [{ events: [newEvent(leads, { type: 'Left', key: 'a', data: {} })] }])
    const health = () =>
      ({ state: 'down', message: 'has not started', paused: false, partitions: [] }) as const
    meters.watchGroup({ topic: leads, group: 'absent', health })
    const text = await metrics.text()
    const lags = [
      ...text.matchAll(/millrace_group_lag_events\{topic="leads",group="absent",partition="\d"\} (\d)/g),
    ]
    expect(lags.map(([, lag]) => Number(lag)).toSorted((a, b) => a - b)).toEqual([0, 1])
    expect(text).toContain('millrace_group_since_progress_seconds{topic="leads",group="absent",partition="')
  })

  it('counts appends, and claims that are won, lost and void', async () => {
    const { metrics } = metersOn()
    const claim = (constraint: string) =>
      ({ constraint, field: constraint, action: 'claim', digests: {} }) as const
    const unit = {
      events: [newEvent(leads, { type: 'Came', key: 'a', data: { n: 1 } })],
      claims: [claim('email'), claim('phone')],
    }
    const error = new MillraceError('append.claimed', 'Taken', { details: { constraint: 'email' } })
    const appended = { status: 'appended', positions: [], version: 1 } as const
    const about = { topic: 'leads', partition: 0, tookMs: 2 } as const
    tellAppend({
      ...about,
      kind: 'units',
      units: [{ unit }, { unit }],
      results: [appended, { status: 'refused', error }],
    })
    tellAppend({
      ...about,
      kind: 'channel',
      events: unit.events,
      result: { status: 'appended', taken: 1, last: 1 },
    })
    tellAppend({ ...about, kind: 'units', units: [{ unit }], results: new MillraceError('log.unavailable') })
    const text = await metrics.text()
    for (const line of [
      'millrace_events_appended_total{topic="leads",type="Came"} 2',
      'millrace_appends_total{topic="leads",outcome="appended"} 2',
      'millrace_appends_total{topic="leads",outcome="append.claimed"} 1',
      'millrace_appends_total{topic="leads",outcome="log.unavailable"} 1',
      'millrace_claims_total{topic="leads",constraint="email",action="claim",outcome="won"} 1',
      'millrace_claims_total{topic="leads",constraint="email",action="claim",outcome="lost"} 1',
      'millrace_claims_total{topic="leads",constraint="phone",action="claim",outcome="void"} 2',
      'millrace_append_duration_seconds_count{topic="leads"} 4',
    ])
      expect(text).toContain(`${line}\n`)
  })

  it('shows queues, views, breakers and dependencies', async () => {
    const { metrics, meters } = metersOn()
    meters.watchQueue('retry.leads.mail', async () => ({ delayed: 4 }))
    meters.watchView('people', async () => ({ '0': 7 }))
    meters.watchBreaker('mail', 'provider', () => 'open')
    meters.breakerChanged('mail', 'provider', 'open')
    const text = await metrics.text()
    for (const line of [
      'millrace_queue_jobs{queue="retry.leads.mail",state="delayed"} 4',
      'millrace_view_lag_events{view="people",partition="0"} 7',
      'millrace_breaker_state{group="mail",breaker="provider",state="open"} 1',
      'millrace_breaker_state{group="mail",breaker="provider",state="closed"} 0',
      'millrace_breaker_changes_total{group="mail",breaker="provider",state="open"} 1',
      'millrace_dependency_state{dependency="mail",state="degraded"} 1',
      'millrace_dependency_state{dependency="mail",state="ok"} 0',
      'millrace_info{version="1.2.3"} 1',
    ])
      expect(text).toContain(`${line}\n`)
  })

  it.each([
    ['noeviction and an append-only file', {}, 1],
    ['a policy that evicts', { policy: 'allkeys-lru' }, 0],
    ['no append-only file', { fsync: 'off' }, 0],
    ['evicted keys', { evictedKeys: 1 }, 0],
    ['a write to disk that failed', { written: false }, 0],
  ] as const)('says whether Redis is safe: %s', async (_, change, safe) => {
    const { metrics } = metersOn(() => Promise.resolve({ ...redis, ...change }))
    const text = await metrics.text()
    expect(text).toContain(`millrace_redis_safe ${safe}\n`)
    expect(text).toContain('millrace_redis_up 1\n')
  })

  it('says that Redis is away, and shows the rest', async () => {
    const { metrics } = metersOn(() => Promise.reject(new Error('away')))
    const text = await metrics.text()
    expect(text).toContain('millrace_redis_up 0\n')
    expect(text).not.toMatch(/^millrace_redis_safe/m)
    expect(text).toContain('millrace_info{version="1.2.3"} 1')
  })
})
