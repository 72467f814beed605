import { describe, expect, it } from 'vitest'
import { Health } from './health.ts'

describe('Health', () => {
  it('is ok when all dependencies are, each with its own state', async () => {
    const health = new Health()
      .add({ name: 'redis', check: () => undefined })
      .add({ name: 'view', check: () => ({ state: 'ok', message: 'lag 3' }) })
    expect(await health.report()).toEqual({
      state: 'ok',
      dependencies: {
        redis: { state: 'ok', ms: expect.any(Number) },
        view: { state: 'ok', message: 'lag 3', ms: expect.any(Number) },
      },
    })
  })

  it.each([
    [true, 'down', 'down'],
    [false, 'down', 'degraded'],
    [true, 'degraded', 'degraded'],
  ] as const)('critical %s and %s makes the whole %s', async (critical, state, whole) => {
    const health = new Health()
      .add({ name: 'ok', check: () => undefined })
      .add({ name: 'x', critical, check: () => ({ state }) })
    expect((await health.report()).state).toBe(whole)
  })

  it('shows why a check failed, without secrets', async () => {
    const health = new Health().add({
      name: 'redis',
      check: () => Promise.reject(new Error('redis://:s3cret@host refused anna@example.org')),
    })
    expect((await health.report()).dependencies['redis']).toMatchObject({
      state: 'down',
      message: 'redis://***@host refused a***@example.org',
    })
  })

  it('waits for no check longer than its limit, and does not start it again while it hangs', async () => {
    let starts = 0
    let aborted = false
    const release = Promise.withResolvers<void>()
    const health = new Health({ cacheMs: 0 }).add({
      name: 'slow',
      timeoutMs: 20,
      check: async (signal) => {
        starts += 1
        signal.addEventListener('abort', () => (aborted = true))
        await release.promise
      },
    })
    expect((await health.report()).dependencies['slow']).toMatchObject({
      state: 'down',
      message: 'did not answer within 20 ms',
    })
    expect((await health.report()).dependencies['slow']).toMatchObject({
      state: 'down',
      message: 'the last check has not come back yet',
    })
    expect({ starts, aborted }).toEqual({ starts: 1, aborted: true })
    release.resolve()
    await release.promise
    await new Promise(setImmediate)
    expect((await health.report()).state).toBe('ok')
  })

  it('gives the same report to all who ask within the time of the cache', async () => {
    let now = 0
    let runs = 0
    const health = new Health({ cacheMs: 100, nowMs: () => now }).add({ name: 'x', check: () => void runs++ })
    await Promise.all([health.report(), health.report()])
    now = 99
    await health.report()
    expect(runs).toBe(1)
    now = 100
    await health.report()
    expect(runs).toBe(2)
  })
})
