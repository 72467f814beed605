import { contextStore, Health, Lifecycle, type Logger } from '@millrace/service'
import { opsApp } from '@millrace/hono'
import { expect, test } from 'vitest'
import { beingStarted } from './being-started.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} } satisfies Partial<Logger>

test('the process is not ready until the last service answers, and says that it is being started', async () => {
  const health = new Health({ cacheMs: 0 })
  const ops = opsApp({ health, version: '1.0.0', http: { logger: quiet, context: contextStore } })
  const ready = async () => {
    const answer = await ops.request('/health/ready')
    const { dependencies } = (await answer.json()) as {
      readonly dependencies: { readonly services: unknown }
    }
    return { status: answer.status, services: dependencies.services }
  }
  const started = beingStarted(health)
  const reached = Promise.withResolvers<void>()
  const answers = Promise.withResolvers<void>()
  const lifecycle = new Lifecycle()
  lifecycle.add({ name: 'quick', start: () => undefined })
  lifecycle.add({
    name: 'slow',
    start: async () => {
      reached.resolve()
      await answers.promise
    },
  })
  const starting = lifecycle.start().then(started)
  await reached.promise
  expect(await ready()).toMatchObject({
    status: 503,
    services: { state: 'down', message: 'are being started' },
  })
  expect((await ops.request('/health/live')).status).toBe(200)
  const early = await ops.request('/health/startup')
  expect([early.status, await early.json()]).toEqual([503, { state: 'starting', version: '1.0.0' }])
  answers.resolve()
  await starting
  expect(await ready()).toMatchObject({ status: 200, services: { state: 'ok' } })
  // What fails later makes it not ready, and no less started.
  health.add({ name: 'redis', check: () => ({ state: 'down' }) })
  expect(await ready()).toMatchObject({ status: 503 })
  const late = await ops.request('/health/startup')
  expect([late.status, await late.json()]).toEqual([200, { state: 'started', version: '1.0.0' }])
  await lifecycle.stop()
})
