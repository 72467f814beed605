import { newEvent, topic } from '@millrace/event'
import { opsApp } from '@millrace/hono'
import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore, processor, run } from '@millrace/processor'
import { contextStore, Health, type Logger } from '@millrace/service'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { WholeSystem } from '../support/whole-system.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} } satisfies Partial<Logger>

test('a group that hangs makes ready fail, and leaves live and startup as they are', async () => {
  const things = topic('things', { partitions: 1, types: { Thing: z.object({}) } })
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const handed = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const stalled = Promise.withResolvers<void>()
  const handle = async () => {
    handed.resolve()
    await release.promise
  }
  const running = await run(processor('hanging', things, { handle }), {
    ...{ log, store, stalledMs: 100, leaseMs: 60_000, handlerTimeoutMs: Number.POSITIVE_INFINITY },
    observe: ({ kind }) => {
      if (kind === 'stalled') stalled.resolve()
    },
  })
  const health = new Health({ cacheMs: 0 }).add({ name: 'hanging', check: () => running.health() })
  const ops = opsApp({ health, version: '1.0.0', http: { logger: quiet, context: contextStore } })
  const status = async (path: string) => (await ops.request(`/health/${path}`)).status
  expect(await status('ready')).toBe(200)
  await log.append(things, [{ events: [newEvent(things, { type: 'Thing', key: 'a', data: {} })] }])
  await handed.promise
  await stalled.promise
  const ready = await ops.request('/health/ready')
  expect([ready.status, await ready.json()]).toMatchObject([
    503,
    {
      state: 'down',
      dependencies: { hanging: { message: expect.stringContaining('no progress in partition 0') } },
    },
  ])
  expect([await status('live'), await status('startup')]).toEqual([200, 200])
  release.resolve()
  await running.stop()
})

test('a running system has started, and its canary comes through', async () => {
  const system = await WholeSystem.start()
  try {
    const ask = async (path: string) =>
      (await fetch(`${system.urlOf('OPS')}${path}`)).json() as Promise<object>
    expect(await ask('/health/startup')).toMatchObject({ state: 'started' })
    // On a machine that stands still for a moment a dependency may be late once.
    await expect
      .poll(() => ask('/health/ready'))
      .toMatchObject({
        state: 'ok',
        dependencies: { canary: { state: 'ok' }, mail: { state: 'ok' }, 'user-query': { state: 'ok' } },
      })
    const metrics = async () => (await fetch(`${system.urlOf('OPS')}/metrics`)).text()
    for (const partition of [0, 1])
      await expect
        .poll(metrics)
        .toMatch(new RegExp(`^millrace_canary_age_seconds\\{partition="${partition}"\\} \\d`, 'm'))
  } finally {
    await system.stop()
  }
})
