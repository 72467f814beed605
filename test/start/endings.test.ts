import { afterAll, beforeAll, expect, test } from 'vitest'
import { Checkout } from './checkout.ts'
import type { Run } from './run.ts'

let checkout: Checkout
let starts = 0
beforeAll(async () => {
  checkout = await Checkout.make()
})
afterAll(async () => {
  await checkout.remove()
})

/** Starts on the home of all starts before, and sees that nothing of what they wrote is lost. */
async function startAgain(via: 'npm' | 'node'): Promise<Run> {
  const before = Date.now()
  const run = checkout.start({ via })
  await run.ready()
  starts += 1
  // The first start makes the database; the promise is about those after it.
  expect(Date.now() - before).toBeLessThan(starts === 1 ? 60_000 : 5_000)
  expect(await run.counts()).toMatchObject({ redis: starts, postgres: starts })
  return run
}

test.each<[string, 'npm' | 'node', (run: Run) => void]>([
  ['Ctrl-C, which npm hands on a second time', 'npm', (run) => run.pressCtrlC()],
  ['SIGTERM to npm', 'npm', (run) => run.signal('npm', 'SIGTERM')],
  ['SIGTERM to node', 'node', (run) => run.signal('bootstrap', 'SIGTERM')],
  ['a closed terminal', 'node', (run) => run.signal('bootstrap', 'SIGHUP')],
])('%s stops everything in good order', async (_name, via, end) => {
  const run = await startAgain(via)
  end(run)
  expect([await run.ended, run.output]).toEqual([0, run.output])
  expect(run.output.match(/Stopped/g)).toHaveLength(2)
  await checkout.quiet()
})

test.each<[string, (run: Run) => void]>([
  ['npm', (run) => run.signal('npm', 'SIGKILL')],
  ['node', (run) => run.signal('bootstrap', 'SIGKILL')],
  ['the supervisor', (run) => run.signal('supervisor', 'SIGKILL')],
  ['the services and the supervisor', (run) => run.kill(['services', 'supervisor'])],
  ['everything', (run) => run.kill()],
])('SIGKILL of %s leaves nothing running', async (_name, end) => {
  const run = await startAgain('npm')
  end(run)
  await checkout.quiet()
  expect(checkout.processes()).toEqual([])
})

test('what the last violent end left on the disk is whole', async () => {
  const run = await startAgain('node')
  run.signal('bootstrap', 'SIGTERM')
  expect(await run.ended).toBe(0)
})

test('a stop in the middle of a start leaves nothing running', async () => {
  const run = checkout.start()
  await run.has('keeper')
  run.signal('npm', 'SIGTERM')
  await run.ended
  expect(run.output).not.toContain('Error')
  await checkout.quiet()
})
