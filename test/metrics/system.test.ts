import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { metricNames } from '@millrace/service'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WholeSystem } from '../support/whole-system.ts'

const patienceMs = 60_000
/** The visitors record their trace: exemplars name no other. */
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

let system: WholeSystem
beforeAll(async () => {
  system = await WholeSystem.start()
  expect([await signUp('ada', 'ada@example.org'), await signUp('bob', 'bob@example.org')]).toEqual([201, 201])
  expect(await signUp('eve', 'ada@example.org')).toBe(409)
})
afterAll(() => system?.stop())

/** Metrics without a series as long as nothing goes wrong, each with what it waits for. */
const waiting: Readonly<Record<string, string>> = {
  millrace_retries_total: 'an attempt that fails',
  millrace_parkings_total: 'a first event that fails for longer',
  millrace_dead_letters_total: 'an event that is given up',
  millrace_repairs_total: 'an operator',
  millrace_troubles_total: 'a call to Redis that fails',
  millrace_group_unprocessable_events: 'an event that is given up',
  millrace_effects_total: 'a processor with effects',
  millrace_breaker_changes_total: 'a provider that is away',
  millrace_handover_duration_seconds: 'a second member',
  millrace_shadow_differences: 'a shadow that was compared',
  millrace_pipeline_behind_bytes: 'the first measure of a pipeline, some seconds after it has begun',
  millrace_pipeline_retained_bytes: 'the same measure',
  millrace_pipeline_snapshot_rows: 'a pipeline that begins with a snapshot',
  millrace_metric_series_folded_total: 'more label sets than a metric may have',
  millrace_metric_readings_failed_total: 'a reading that fails',
}

async function signUp(username: string, email: string): Promise<number> {
  const answer = await fetch(`${system.urlOf('GATEWAY')}/users`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    body: JSON.stringify({ username, email, password: 'correct horse battery staple' }),
  })
  await answer.text()
  return answer.status
}

async function scrape(accept?: string): Promise<{ readonly type: string | null; readonly text: string }> {
  const headers = accept === undefined ? {} : { Accept: accept }
  const answer = await fetch(`${system.urlOf('OPS')}/metrics`, { headers })
  return { type: answer.headers.get('content-type'), text: await answer.text() }
}

/** Scrapes until a line is there: the groups follow the sign-ups. */
async function scrapeWith(...lines: readonly string[]): Promise<string> {
  for (const deadline = Date.now() + patienceMs; ; await delay(100)) {
    const { text } = await scrape()
    if (lines.every((line) => text.includes(`${line}\n`))) return text
    if (Date.now() > deadline) throw new Error(`Not in ${patienceMs} ms: ${lines.join('; ')}\n${text}`)
  }
}

const followed = ['user-query', 'mail'].map(
  (group) =>
    `millrace_events_processed_total{topic="accounts",group="${group}",type="AccountCreated",outcome="done"} 2`,
)

test('a sign-up is seen on its whole way: request, claim, append, processing, view and mail', async () => {
  const text = await scrapeWith(
    ...followed,
    'millrace_http_requests_total{service="gateway",method="POST",route="/users",status="201"} 2',
    'millrace_http_requests_total{service="gateway",method="POST",route="/users",status="409"} 1',
    'millrace_claims_total{topic="accounts",constraint="email",action="claim",outcome="won"} 2',
    'millrace_claims_total{topic="accounts",constraint="email",action="claim",outcome="lost"} 1',
    'millrace_events_appended_total{topic="accounts",type="AccountCreated"} 2',
    'millrace_leases{topic="accounts",group="mail"} 4',
    'millrace_breaker_state{group="mail",breaker="provider",state="closed"} 1',
    'millrace_dependency_state{dependency="redis",state="ok"} 1',
    'millrace_redis_mode_info{policy="noeviction",fsync="everysec"} 1',
    'millrace_redis_safe 1',
    'millrace_queue_jobs{queue="retry.accounts.mail",state="delayed"} 0',
  )
  expect(text).not.toMatch(/example\.org/)
})

test('what is exposed is what is declared, and each has a series but those that wait for a fault', async () => {
  const text = await scrapeWith(...followed)
  const described = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => `${name} ${kind}`)
  const ofProcess = /^millrace_(process|nodejs)_/
  const declared = Object.values(metricNames).map(({ name, kind }) => `${name} ${kind}`)
  expect(described.filter((one) => !ofProcess.test(one)).toSorted()).toEqual(declared.toSorted())
  // Some are read by and by.
  const silent = async () => {
    const { text: latest } = await scrape()
    return Object.values(metricNames)
      .filter(({ name }) => !new RegExp(`^${name}(_count)?[{ ]`, 'm').test(latest))
      .map(({ name }) => name)
      .filter((name) => !(name in waiting))
  }
  await expect.poll(silent, { timeout: patienceMs }).toEqual([])
  expect(text).toContain('millrace_nodejs_eventloop_lag_p99_seconds')
})

test('labels are those that are declared', async () => {
  const text = await scrapeWith(...followed)
  const labels = new Map(
    Object.values(metricNames).map(({ name, labels: own }) => [name as string, own as readonly string[]]),
  )
  for (const [, sample = '', pairs = ''] of text.matchAll(/^(millrace_\w+)\{(.*)\} \S+$/gm)) {
    const own = labels.get(sample) ?? labels.get(sample.replace(/_(bucket|sum|count)$/, ''))
    if (own === undefined) continue
    const found = [...pairs.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label]) => label)
    expect({ sample, found: found.filter((label) => label !== 'le') }).toEqual({ sample, found: own })
  }
})

// Part of Debian's prometheus, which CI installs.
const promtool = spawnSync('promtool', ['--version']).status === 0
test.skipIf(!promtool && process.env['CI'] === undefined)(
  'promtool has nothing to say against it',
  async () => {
    const { text } = await scrape()
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    expect({
      error: checked.error,
      said: `${checked.stdout}${checked.stderr}`,
      status: checked.status,
    }).toEqual({
      error: undefined,
      said: '',
      status: 0,
    })
  },
)

test('whoever asks for OpenMetrics gets it, with the traces of requests and events as exemplars', async () => {
  await scrapeWith(...followed)
  const { type, text } = await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
  expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  for (const name of ['http_request', 'end_to_end', 'append'])
    expect(text).toMatch(
      new RegExp(
        `^millrace_${name}_duration_seconds_bucket\\{.*\\} \\d+ # \\{trace_id="${traceId}"\\} \\S+ \\S+$`,
        'm',
      ),
    )
  expect(text).not.toMatch(new RegExp(`trace_id="(?!${traceId})`))
  expect(text.endsWith('# EOF\n')).toBe(true)
  expect((await scrape()).type).toBe('text/plain; version=0.0.4; charset=utf-8')
})
