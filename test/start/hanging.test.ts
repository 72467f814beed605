import { afterAll, expect, test } from 'vitest'
import { Checkout } from './checkout.ts'
import type { Run } from './run.ts'

// Each waits for its time limit, so they wait together.
const checkouts: Checkout[] = []
afterAll(async () => {
  await Promise.all(checkouts.map((checkout) => checkout.remove()))
})

async function startAndHang(): Promise<{ checkout: Checkout; run: Run }> {
  const checkout = await Checkout.make()
  checkouts.push(checkout)
  const run = checkout.start({ via: 'node' })
  await run.ready()
  await expect(run.counts('/hang', 500)).rejects.toThrow('timeout')
  return { checkout, run }
}

test.concurrent('a service that hangs is killed when it does not stop', async () => {
  const { checkout, run } = await startAndHang()
  run.signal('bootstrap', 'SIGTERM')
  expect(await run.ended).toBe(0)
  expect(run.output).toContain('The service process did not stop in 15 s and is killed.')
  await checkout.quiet()
})

test.concurrent('a service that hangs does not outlive a supervisor that was killed', async () => {
  const { checkout, run } = await startAndHang()
  run.signal('supervisor', 'SIGKILL')
  await checkout.quiet()
  expect(checkout.processes()).toEqual([])
})
