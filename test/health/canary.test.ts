import { VirtualTime } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore, processor, run } from '@millrace/processor'
import { expect, test } from 'vitest'
import { Canary, canaryFinding, canaryGroup, canaryTopic } from '../../apps/all-in-one/src/canary.ts'

const everyMs = 1_000

function system() {
  const clock = new VirtualTime()
  const log = createMemoryLog({ clock })
  const store = createMemoryGroupStore({ log, clock })
  const canary = new Canary({ log, store, clock })
  const finding = async () => canaryFinding(await canary.ages(), everyMs)
  return { clock, log, store, canary, finding }
}

test('one goes through every partition, and its age says how long ago the latest was sent that came through', async () => {
  const { clock, log, store, canary, finding } = system()
  const settled = Promise.withResolvers<void>()
  let left = canaryTopic.partitions
  const handle = () => {
    if (--left === 0) settled.resolve()
  }
  const running = await run(processor(canaryGroup, canaryTopic, { handle }), { log, store })
  clock.advance(700)
  await canary.send()
  await settled.promise
  await running.stop()
  clock.advance(30)
  expect([...(await canary.ages())]).toEqual([
    [0, 30],
    [1, 30],
  ])
  expect(await finding()).toEqual({ state: 'ok' })
})

test('one that does not come through degrades health, and then fails it', async () => {
  const { clock, canary, finding } = system()
  await canary.send()
  clock.advance(2_500)
  expect(await finding()).toEqual({ state: 'ok' })
  clock.advance(500)
  expect(await finding()).toEqual({
    state: 'degraded',
    message: 'no canary through partition 0, 1 for 3 s',
  })
  clock.advance(3_000)
  expect(await finding()).toMatchObject({ state: 'down' })
})
