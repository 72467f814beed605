import { afterAll, beforeAll, expect, test } from 'vitest'
import { Checkout } from './checkout.ts'
import { processorMs } from './processes.ts'
import type { Run } from './run.ts'

let checkout: Checkout
let starts = 0
let stops = 0
const tookMs: number[] = []
const workedMs: number[] = []
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
  tookMs.push(Date.now() - before)
  workedMs.push(processorMs(checkout.processes()))
  expect(await run.counts()).toMatchObject({ redis: starts, postgres: starts, stops })
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
  stops += 1
  expect([await run.ended, run.output]).toEqual([0, run.output])
  expect(run.output.match(/Stopped/g)).toHaveLength(2)
  await checkout.quiet()
})

// As long as the services themselves are not killed, they stop in good order, and on servers that still answer.
test.each<[string, number, (run: Run) => void]>([
  ['npm', 1, (run) => run.signal('npm', 'SIGKILL')],
  ['node', 1, (run) => run.signal('bootstrap', 'SIGKILL')],
  ['the supervisor', 1, (run) => run.signal('supervisor', 'SIGKILL')],
  ['the services and the supervisor', 0, (run) => run.kill(['services', 'supervisor'])],
  ['everything', 0, (run) => run.kill()],
])('SIGKILL of %s leaves nothing running', async (_name, inGoodOrder, end) => {
  const run = await startAgain('npm')
  stops += inGoodOrder
  end(run)
  await checkout.quiet()
  expect(checkout.processes()).toEqual([])
})

test('what the last violent end left on the disk is whole', async () => {
  const run = await startAgain('node')
  run.signal('bootstrap', 'SIGTERM')
  expect(await run.ended).toBe(0)
})

test('a start on data that is there installs nothing, makes nothing anew and waits for no time limit', () => {
  // Its time tells how busy the machine is, so what counts is its work: 2.4 s when this was written, of which an install
  // would make 10 and more. The first start made the database.
  expect(Math.min(...workedMs.slice(1))).toBeLessThan(10_000)
  expect(Math.min(...tookMs.slice(1))).toBeLessThan(60_000)
})

test('a stop in the middle of a start leaves nothing running', async () => {
  const run = checkout.start()
  await run.has('keeper')
  run.signal('npm', 'SIGTERM')
  await run.ended
  expect(run.output).not.toContain('Error')
  await checkout.quiet()
})
