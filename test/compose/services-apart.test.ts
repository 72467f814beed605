import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'
import { call } from '../sign-up/system.ts'
import { OtlpCollector } from '../support/otlp-collector.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { read } from '../tidy/tree.ts'
import type { ComposeFile, ComposeService } from './compose-file.ts'

// The services of the compose file with its commands and settings, as processes: each has a home of its own, and
// they share nothing but addresses and secrets.
const { services } = parse(read('docker-compose.yml'), { merge: true }) as ComposeFile
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined)
const portSettings = ['GATEWAY_PORT', 'UNIQ_PORT', 'USER_COMMAND_PORT', 'USER_QUERY_PORT'] as const

let redis: TestRedis
let postgres: TestPostgres
let provider: FaultySmtpServer
let collector: OtlpCollector
const attempts = 5
const ports = new Map<string, number>()
const opsPorts = new Map<string, number>()
const running: { readonly child: ChildProcess; readonly closed: Promise<unknown>; readonly home: string }[] =
  []

beforeAll(async () => {
  ;[redis, postgres, provider, collector] = await Promise.all([
    startRedis({ appendonly: true }),
    startPostgres(),
    FaultySmtpServer.start(),
    OtlpCollector.start(),
  ])
  await allStarted()
})

afterAll(async () => {
  await stopped()
  await Promise.all([redis.stop(), postgres.stop(), provider.stop(), collector.stop()])
})

async function allStarted(attempt = 1): Promise<void> {
  for (const setting of portSettings) ports.set(setting, await freePort())
  for (const [name] of ours) opsPorts.set(name, await freePort())
  const starts = await Promise.allSettled(ours.map(([name, service]) => started(name, service)))
  const failures = starts.flatMap((start) => (start.status === 'rejected' ? [String(start.reason)] : []))
  if (failures.length === 0) return
  await stopped()
  // Somebody else may have taken a port between asking and listening.
  if (attempt === attempts || !failures.every((failure) => failure.includes('is already in use')))
    throw new Error(failures.join('\n'))
  await allStarted(attempt + 1)
}

async function stopped(): Promise<void> {
  const gone = running.splice(0)
  for (const { child } of gone) child.kill('SIGTERM')
  await Promise.all(gone.map(({ closed }) => closed))
  for (const { home } of gone) rmSync(home, { recursive: true, force: true })
}

/** What the addresses of the file are here. */
function addressHere(setting: string, value: string): string {
  if (setting === 'REDIS_URL') return redis.url
  if (setting === 'DATABASE_URL') return postgres.url
  if (setting === 'SMTP_URL') return provider.url
  if (setting === 'OTEL_EXPORTER_OTLP_ENDPOINT') return collector.url
  const port = ports.get(setting.replace(/_URL$/, '_PORT'))
  if (port !== undefined) return `http://127.0.0.1:${port}`
  return value
    .replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
    .replaceAll(/\$\{\w+:\?[^}]*\}/g, 'a-secret-of-the-test-that-is-long-enough')
}

async function started(name: string, { command = [], environment = {} }: ComposeService): Promise<void> {
  const home = mkdtempSync(path.join(tmpdir(), `millrace-compose-${name}-`))
  const program = path.join(import.meta.dirname, '../../apps/all-in-one/src/supervisor.ts')
  const child = spawn(process.execPath, [program, ...command.slice(command.indexOf('start') + 1)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      MILLRACE_HOME: home,
      MILLRACE_PARENT_PID: String(process.pid),
      PASSWORD_COST: 'cheap',
      ...Object.fromEntries([...ports].map(([setting, port]) => [setting, String(port)])),
      OPS_PORT: String(opsPorts.get(name)),
      ...Object.fromEntries(
        Object.entries(environment).map(([setting, value]) => [setting, addressHere(setting, value)]),
      ),
      LOG_LEVEL: 'warn',
    },
  })
  running.push({ child, closed: once(child, 'close'), home })
  let output = ''
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      output += piece.toString()
      if (output.includes('Millrace is running')) resolve()
    })
  child.once('close', () => reject(new Error(`${name} ended:\n${output}`)))
  await promise
}

test('each service is ready by itself, and tells its metrics', async () => {
  for (const [name, port] of opsPorts) {
    // On a machine that stands still for a moment a dependency may be late once.
    const ready = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`)
      await answer.text()
      return [name, answer.status]
    }
    await expect.poll(ready).toEqual([name, 200])
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toContain('millrace_info{')
  }
})

test('a sign-up goes through all of them: claimed, read back, mailed', async () => {
  const gateway = `http://127.0.0.1:${ports.get('GATEWAY_PORT')}`
  const visitor = { username: 'ann', email: 'ann@example.org', password: 'correct horse battery' }
  const { status, body } = await call(`${gateway}/users`, 'POST', visitor)
  expect(status).toBe(201)
  const after = encodeURIComponent(String(body['position']))
  const seen = await call(`${gateway}/users/${String(body['id'])}?after=${after}`, 'GET', undefined, {
    authorization: `Bearer ${String(body['token'])}`,
  })
  expect([seen.status, seen.body['username']]).toEqual([200, 'ann'])
  expect((await call(`${gateway}/users`, 'POST', visitor)).status).toBe(409)
  expect(await provider.record.received(1)).toHaveLength(1)
})

test('what each of them does for a sign-up is one trace in the trace store', async () => {
  const gateway = `http://127.0.0.1:${ports.get('GATEWAY_PORT')}`
  const visitor = { username: 'eve', email: 'eve@example.org', password: 'correct horse battery' }
  await call(`${gateway}/users`, 'POST', visitor, { 'x-correlation-id': 'from-outside' })
  const [mail] = await collector.until(
    ({ name, attributes }) =>
      name === 'send mail' && attributes['messaging.message.conversation_id'] === 'from-outside',
  )
  const services = ['gateway', 'user-command', 'uniq', 'user-query', 'mail']
  const ofTrace = () => collector.spans.filter(({ traceId }) => traceId === mail?.traceId)
  for (const service of services)
    await collector.until((span) => span.traceId === mail?.traceId && span.service === service)
  await collector.until(
    ({ traceId, parentSpanId }) => traceId === mail?.traceId && parentSpanId === undefined,
  )
  // Spans come in batches, each when it has ended: a step is told before the one that it belongs to.
  const loose = () => {
    const known = new Set(ofTrace().map(({ spanId }) => spanId))
    return ofTrace()
      .filter(({ parentSpanId }) => parentSpanId !== undefined && !known.has(parentSpanId))
      .map(({ name, service }) => `${service}: ${name}`)
  }
  await expect.poll(loose, { timeout: 60_000 }).toEqual([])
})
