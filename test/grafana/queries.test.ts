import { FaultySmtpServer } from '@millrace/smtp/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertExpressions, dashboardExpressions } from '../../grafana/src/expressions.ts'
import { call } from '../sign-up/system.ts'
import { WholeSystem } from '../support/whole-system.ts'
import { filledIn } from './filled-in.ts'
import { panel } from './panel.ts'
import { prometheusIsThere } from './prometheus-tools.ts'
import { RunningPrometheus } from './running-prometheus.ts'

/** What shows nothing while all is well, and why; everything else must show something. */
const quiet: Readonly<Record<string, string>> = {
  'Millrace / Landscape: What the metrics leave out': 'nothing is left out',
  'Millrace / Processors: Failed calls to log and store': 'none fails',
  'Millrace / Processors: Stalls in an hour': 'none stalls',
  'Millrace / Retries and dead letters: Attempts that failed': 'the one refusal is for good',
  'Millrace / Retries and dead letters: Keys parked in an hour': 'mail gives up what is refused for good',
  'Millrace / Retries and dead letters: Attempts on effects': 'no group here has effects',
  'Millrace / Retries and dead letters: Rulings in an hour': 'nobody repairs',
  'Millrace / Retries and dead letters: Changes of breakers in an hour': 'none changes',
  'Millrace / Redis and members: Memory': 'the private Redis has no limit',
  'Millrace / Redis and members: Partitions given up in an hour': 'there is one member',
  'Millrace / Redis and members: Hand-over, p99': 'there is one member',
  'Millrace / Retries and dead letters: Differences from the other system': 'no shadow runs',
  'Millrace / Change streams: Rows of snapshots': 'the pipeline here begins without one',
  'Millrace / Restocking: From event to verdict and view, p99': 'nothing moves after the first scrape',
  'Millrace / Leads: Leads that differ': 'no shadow runs',
  'annotation Rebalances': 'there is one member',
  'annotation Repairs': 'nobody repairs',
  'annotation Breakers': 'none changes',
}

describe.skipIf(!prometheusIsThere)('a running system, scraped by Prometheus', () => {
  let provider: FaultySmtpServer
  let system: WholeSystem
  let prometheus: RunningPrometheus
  let visitors = 0

  beforeAll(async () => {
    provider = await FaultySmtpServer.start()
    provider.faults.refuse('refused@example.org')
    system = await WholeSystem.start({ env: { SMTP_URL: provider.url } })
    prometheus = await RunningPrometheus.start(new URL(system.urlOf('OPS')))
    await signUp('refused')
    await prometheus.has('millrace_group_unprocessable_events')
    // Two of the same address, some while Prometheus has scraped the others already: then there are rates.
    await signUp('ann')
    for (const moved of ['mail', 'user-query'])
      await signUpUntil(`rate(millrace_end_to_end_duration_seconds_count{group="${moved}"}[1m]) > 0`)
    await signUp('ann')
    await offer()
    await prometheus.has('rate(millrace_http_request_duration_seconds_count{service="leads"}[1m]) > 0')
    await prometheus.hasScraped()
  })

  afterAll(async () => {
    await prometheus.stop()
    await system.stop()
    await provider.stop()
  })

  const signUp = (name: string) =>
    call(
      `${system.urlOf('GATEWAY')}/users`,
      'POST',
      { username: name, email: `${name}@example.org`, password: 'correct horse battery' },
      { 'idempotency-key': `key-${(visitors += 1)}` },
    )

  /** Three, of which Prometheus sees the second: then there is a rate. */
  async function offer(): Promise<void> {
    const authorization = `Bearer ${system.secrets.SERVICE_TOKEN}`
    for (const price of [5_000, 6_000, 7_000]) {
      const url = `${system.urlOf('LEADS')}/buyers/anna/offers`
      expect((await call(url, 'POST', { car: 'a red one', price }, { authorization })).status).toBe(201)
      await prometheus.hasScraped()
    }
  }

  async function signUpUntil(query: string): Promise<void> {
    for (const from = visitors; (await prometheus.now(query)).length === 0;)
      if (visitors - from > 2_000) throw new Error(`Not after 2,000 sign-ups: ${query}`)
      else await signUp(`visitor-${visitors}`)
  }

  test('every query of every dashboard succeeds, and shows finite series with the labels that name them', async () => {
    // The same minute for all, however long it takes to ask: nothing happens here any more.
    const endMs = Date.now()
    const empty = new Set<string>()
    const unnamed: string[] = []
    for (const { where, expr, legend } of dashboardExpressions()) {
      await prometheus.now(filledIn(expr))
      const series = await prometheus.minuteBefore(endMs, filledIn(expr))
      const wanted = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)
      unnamed.push(
        ...series
          .filter(({ metric }) => wanted.some((label) => !(label in metric)))
          .map(({ metric }) => `${where}: ${JSON.stringify(metric)} lacks one of ${wanted.join(', ')}`),
      )
      if (!series.some(({ values }) => values.some((value) => Number.isFinite(value)))) empty.add(where)
    }
    expect(unnamed).toEqual([])
    expect([...empty].filter((where) => !(where in quiet))).toEqual([])
    const all = new Set(dashboardExpressions().map(({ where }) => where))
    expect(Object.keys(quiet).filter((where) => !all.has(where))).toEqual([])
  })

  test('every alert expression succeeds, and only what waits for an operator fires', async () => {
    const firing = async () => {
      const found = new Set<string>()
      for (const { where, expr } of alertExpressions())
        if ((await prometheus.now(expr)).length > 0) found.add(where)
      return [...found]
    }
    // On a machine that stands still for a moment a scrape or a dependency may be late once.
    await expect.poll(firing, { timeout: 60_000 }).toEqual(['alert MillraceDeadLettersGrowing'])
    await prometheus.has('ALERTS{alertname="MillraceDeadLettersGrowing"}')
  })

  test('a provider that is away: the panel of breakers shows it, the alert of dependencies is pending', async () => {
    const open = `(${panel('Breakers that are not closed')}) == 1`
    await expect.poll(() => prometheus.now(open)).toEqual([])
    await provider.down()
    await signUpUntil(open)
    await prometheus.has('ALERTS{alertname="MillraceDependencyUnhealthy",alertstate="pending"}')
    await provider.up()
    await prometheus.has(`(absent(${open}))`)
  })

  test('a Redis that would evict, and that has little memory: its panels show it, its alerts are pending', async () => {
    const client = new Redis(system.redisUrl)
    try {
      await expect.poll(() => prometheus.now(`(${panel('Safe')}) == 0`)).toEqual([])
      await client.config('SET', 'maxmemory-policy', 'volatile-lru')
      const used = /^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1] ?? ''
      await client.config('SET', 'maxmemory', Math.round(Number(used) * 1.1))
      await prometheus.has(`(${panel('Safe')}) == 0`)
      await prometheus.has('ALERTS{alertname="MillraceRedisUnsafe",alertstate="pending"}')
      await prometheus.has('ALERTS{alertname="MillraceRedisMemory",alertstate="pending"}')
      await client.config('SET', 'maxmemory', 0)
      await client.config('SET', 'maxmemory-policy', 'noeviction')
      await prometheus.has(`(${panel('Safe')}) == 1`)
      await prometheus.has('absent(ALERTS{alertname=~"MillraceRedis.*"})')
    } finally {
      client.disconnect()
    }
  })
})
