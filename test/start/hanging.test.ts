import { afterAll, expect, test } from 'vitest'
import { Checkout } from './checkout.ts'
import type { Run } from './run.ts'

// Each waits for its time limit, so they wait together.
const checkouts: Checkout[] = []
afterAll(async () => {
  await Promise.all(checkouts.map((checkout) => checkout.remove()))
})

async function startAndHang(): Promise<{ checkout: Checkout; run: Run; unanswered: Promise<unknown> }> {
  const checkout = await Checkout.make()
  checkouts.push(checkout)
  const run = checkout.start({ via: 'node' })
  await run.ready()
  // Nobody answers; the connection ends with the process.
  const unanswered = run.counts('/hang', 150_000).catch((error: unknown) => error)
  await run.says('The counter hangs')
  return { checkout, run, unanswered }
}

test.concurrent('a service that hangs is killed when it does not stop', async () => {
  const { checkout, run, unanswered } = await startAndHang()
  run.signal('bootstrap', 'SIGTERM')
  expect(await run.ended).toBe(0)
  expect(run.output).toContain('The service process did not stop in 15 s and is killed.')
  await checkout.quiet()
  expect(await unanswered).toBeInstanceOf(TypeError)
})

test.concurrent('a service that hangs does not outlive a supervisor that was killed', async () => {
  const { checkout, run, unanswered } = await startAndHang()
  run.signal('supervisor', 'SIGKILL')
  await checkout.quiet()
  expect(checkout.processes()).toEqual([])
  expect(await unanswered).toBeInstanceOf(TypeError)
})
