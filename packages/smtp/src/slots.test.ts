import { expect, test } from 'vitest'
import { Slots } from './slots.ts'

test('a slot that comes back at the moment of an abort is not lost', async () => {
  const slots = new Slots(1, 10)
  const giveBack = await slots.take()
  const controller = new AbortController()
  const given = slots.take(controller.signal).catch(() => 'aborted')
  const next = slots.take()
  controller.abort()
  giveBack()
  expect(await given).toBe('aborted')
  const last = await next
  last()
  await slots.close()
})

test('giving back twice frees one slot', async () => {
  const slots = new Slots(1, 10)
  const giveBack = await slots.take()
  giveBack()
  giveBack()
  const first = await slots.take()
  let second = false
  const waiting = slots.take().then((back) => {
    second = true
    return back
  })
  await new Promise(setImmediate)
  expect(second).toBe(false)
  first()
  const back = await waiting
  back()
})
