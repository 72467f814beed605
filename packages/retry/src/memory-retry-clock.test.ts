import { VirtualTime } from '@millrace/event'
import { expect, test } from 'vitest'
import { describeRetryClock } from './contract/index.ts'
import { createMemoryRetryClock } from './memory-retry-clock.ts'
import { retryId } from './retry-id.ts'

const tickMs = 1_000

function open() {
  const time = new VirtualTime()
  const clock = createMemoryRetryClock({
    clock: time,
    timers: time,
    asking: { dueMs: 2 * tickMs, alreadyMs: 2 * tickMs, failedMs: tickMs },
  })
  return { time, clock }
}

describeRetryClock('in memory', async () => {
  const { time, clock } = open()
  return {
    clock,
    tickMs,
    now: () => time.now(),
    pass: (ms) => time.pass(ms),
    retryNow: async (id) => void clock.retryNow(id),
    untilHeld: async () => undefined,
    planned: async () => clock.jobs.map(retryId),
    lose: async () => clock.lose(),
    close: () => clock.close(),
  }
})

const job = {
  ...{ topic: 't', partition: 0, group: 'g', generation: 0, key: 'k', parkNo: 1, head: 1, attempt: 1 },
  story: { type: 'T', eventId: 'e', reason: 'internal', error: 'mail to anna@example.org failed' },
}

test('the memory clock sleeps longer than the timers of the machine can', async () => {
  const { time, clock } = open()
  const heard: number[] = []
  clock.onDue(async () => {
    heard.push(time.now())
    return 'stale'
  })
  const dueMs = time.now() + 2 ** 32
  await clock.schedule({ ...job, dueMs })
  await time.pass(2 ** 32 - 1)
  expect(heard).toEqual([])
  await time.pass(1)
  expect(heard).toEqual([dueMs])
  await clock.close()
})

test('the memory clock shows stories masked, and nothing fires after its end', async () => {
  const { time, clock } = open()
  let fired = 0
  clock.onDue(async () => void (fired += 1))
  await clock.schedule({ ...job, dueMs: time.now() + 5 })
  expect(clock.jobs[0]?.story.error).toBe('mail to a***@example.org failed')
  await clock.close()
  await clock.schedule({ ...job, dueMs: time.now() + 5 })
  await time.pass(100)
  expect([fired, time.pending]).toEqual([0, 0])
})
