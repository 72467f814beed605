import { afterAll, beforeAll, expect, test } from 'vitest'
import { Checkout } from './checkout.ts'
import { eventually } from './processes.ts'
import type { Run } from './run.ts'

let checkout: Checkout
let run: Run
beforeAll(async () => {
  checkout = await Checkout.make()
  run = checkout.start()
  await run.ready()
})
afterAll(async () => {
  await checkout.remove()
})

/** Resolves with the counts as soon as the whole chain answers again. */
async function answersAgain(): Promise<{ redis: number; postgres: number }> {
  await eventually('the service answers', () =>
    run.counts().then(
      () => undefined,
      (error: unknown) => String(error),
    ),
  )
  const { redis, postgres } = await run.counts()
  return { redis, postgres }
}

test('a service process that crashes is started again, and that is said', async () => {
  run.signal('services', 'SIGKILL')
  await run.says('The service process ended unexpectedly (SIGKILL). It is started again in 250 ms.')
  await run.says('The service process is running again.')
  expect(await answersAgain()).toEqual({ redis: 2, postgres: 2 })
})

test('a server that crashes is started again on its data, and that is said', async () => {
  run.kill(['redis', 'postgres'])
  await run.says('Redis ended unexpectedly (SIGKILL). It is started again in')
  await run.says('PostgreSQL ended unexpectedly (SIGKILL). It is started again in')
  expect(await answersAgain()).toEqual({ redis: 2, postgres: 2 })
})

test('a keeper that is killed is replaced, and its server too', async () => {
  const before = [...run.part('redis'), ...run.part('postgres')]
  run.signal('keeper', 'SIGKILL')
  await run.says('The keeper of Redis ended unexpectedly (SIGKILL).')
  await run.says('Redis of an earlier run was still there')
  await run.says('PostgreSQL of an earlier run was still there')
  await eventually('both keepers are there', () => (run.part('keeper').length === 2 ? undefined : run.output))
  expect(await answersAgain()).toEqual({ redis: 2, postgres: 2 })
  const after = [...run.part('redis'), ...run.part('postgres')].map(({ pid }) => pid)
  expect(before.filter(({ pid }) => after.includes(pid))).toEqual([])
})

test('servers whose keepers were killed along with the supervisor are stopped by the next start', async () => {
  run.kill(['supervisor', 'keeper'])
  await run.ended
  const left = [...run.part('redis'), ...run.part('postgres')].map(({ pid }) => pid)
  expect(left).toHaveLength(2)
  run = checkout.start()
  await run.ready()
  expect(run.output).toContain(
    `Redis of an earlier run was still there (pid ${left[0]}) and has been stopped.`,
  )
  expect(await answersAgain()).toEqual({ redis: 3, postgres: 3 })
  run.pressCtrlC()
  await checkout.quiet()
})
