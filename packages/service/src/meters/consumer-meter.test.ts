import { channel } from 'node:diagnostics_channel'
import { MillraceError } from '@millrace/event'
import { consumerChannel, type ConsumerNews, repairChannel, type RepairNews } from '@millrace/processor'
import { afterEach, expect, it } from 'vitest'
import { Metrics } from '../metrics.ts'
import { BreakerStates } from './breaker-states.ts'
import { consumerMeter } from './consumer-meter.ts'

const error = new MillraceError('log.unavailable')
const partition = 0
const one = { partition, key: 'k', name: 'send', idempotencyKey: 'i', error }
const breaker = { name: 'send', sinceMs: 0, waiting: 1 } as const

const told: readonly (readonly [news: ConsumerNews, line: string])[] = [
  [{ kind: 'fenced', partition }, 'millrace_commits_total{@,outcome="fenced"} 1'],
  [
    { kind: 'retry', partition, seq: 1, attempts: 1, delayMs: 5, error },
    'millrace_retries_total{@,reason="log.unavailable"} 1',
  ],
  [
    { kind: 'retry', partition, seq: 1, attempts: 1, delayMs: 5, error: new Error('ada@example.org') },
    'millrace_retries_total{@,reason="unexpected"} 1',
  ],
  [
    { kind: 'parked', partition, key: 'k', seq: 1, dueMs: 9, error },
    'millrace_parkings_total{@,waits_for="retry",reason="log.unavailable"} 1',
  ],
  [
    { kind: 'parked', partition, key: 'k', seq: 1, error },
    'millrace_parkings_total{@,waits_for="operator",reason="log.unavailable"} 1',
  ],
  [{ kind: 'trouble', error }, 'millrace_troubles_total{@,reason="log.unavailable"} 1'],
  [{ kind: 'stalled', partition, sinceMs: 60_000 }, 'millrace_stalls_total{@} 1'],
  [{ kind: 'ended', partition, reason: 'lost' }, 'millrace_leases_ended_total{@,reason="lost"} 1'],
  [{ kind: 'assigned', revision: 2, partitions: [0] }, 'millrace_rebalances_total{@} 1'],
  [
    { kind: 'handed-over', partition, to: 'm2', tookMs: 40, released: true },
    'millrace_handover_duration_seconds_bucket{@,le="0.05"} 1',
  ],
  [
    { kind: 'effects-confirmed', partition, names: ['send', 'send'] },
    'millrace_effects_total{@,effect="send",outcome="confirmed"} 2',
  ],
  [
    { kind: 'effect-retry', ...one, attempts: 1, delayMs: 5 },
    'millrace_effects_total{@,effect="send",outcome="retried"} 1',
  ],
  [{ kind: 'effect-dead', ...one }, 'millrace_effects_total{@,effect="send",outcome="dead"} 1'],
  [
    { kind: 'effects-confirmed', partition, names: ['send'] },
    'millrace_breaker_state{group="mail",breaker="send",state="closed"} 1',
  ],
  [
    { kind: 'effect-breaker', ...breaker, state: 'open', previous: 'closed' },
    'millrace_breaker_state{group="mail",breaker="send",state="open"} 1',
  ],
  [
    { kind: 'effect-breaker', ...breaker, state: 'half-open', previous: 'open' },
    'millrace_breaker_changes_total{group="mail",breaker="send",state="half-open"} 1',
  ],
]

let end: (() => void) | undefined
afterEach(() => end?.())

function metered(): Metrics {
  const metrics = new Metrics()
  end = consumerMeter(metrics, new BreakerStates(metrics))
  return metrics
}

it.each(told)('counts $kind', async (news, line) => {
  const metrics = metered()
  channel(consumerChannel).publish({ topic: 'leads', group: 'mail', member: 'm1', ...news })
  expect(await metrics.text()).toContain(`${line.replace('@', 'topic="leads",group="mail"')}\n`)
})

it('counts rulings of operators', async () => {
  const metrics = metered()
  const ruling: RepairNews = {
    ...{ topic: 'leads', group: 'mail', partition, seq: 4, kind: 'ignored', on: 'head' },
    ...{ by: 'ada', forced: false },
  }
  channel(repairChannel).publish(ruling)
  expect(await metrics.text()).toContain(
    'millrace_repairs_total{topic="leads",group="mail",kind="ignored",on="head"} 1\n',
  )
})

it('counts news that it cannot read, and goes on', async () => {
  const metrics = metered()
  channel(consumerChannel).publish({ kind: 'dead', topic: 'leads', group: 'mail' })
  channel(consumerChannel).publish({ kind: 'fenced', topic: 'leads', group: 'mail', partition })
  const text = await metrics.text()
  expect(text).toContain('millrace_metric_readings_failed_total{reading="millrace.consumer"} 1\n')
  expect(text).toContain('millrace_commits_total{topic="leads",group="mail",outcome="fenced"} 1\n')
})

it('hears nothing after its end', async () => {
  const metrics = metered()
  end?.()
  channel(consumerChannel).publish({ kind: 'fenced', topic: 'leads', group: 'mail', partition })
  expect(await metrics.text()).not.toContain('millrace_commits_total{')
})
