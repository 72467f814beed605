import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { type ConsoleRig, startConsoleRig } from './console-rig.ts'

let rig: ConsoleRig | undefined
afterEach(() => rig?.stop())

test("with all of BullMQ's data gone, everything parked is tried again by itself, in order", async () => {
  const here = (rig = await startConsoleRig({
    retry: { firstMs: 1_500, maxMs: 1_500 },
    retrySweepMs: 300,
    attempts: 50,
  }))
  const keys = Array.from({ length: 20 }, (_, at) => `order-${at}`)
  for (const key of keys) here.broken.add(key)
  await here.append(...keys.flatMap((key) => [`${key} 1`, `${key} 2`]))
  const redis = new Redis(here.redisUrl)
  await here.until(
    async () => (await redis.keys('*')).filter((key) => /:[\w-]{27}$/.test(key)).length >= keys.length,
  )
  await redis.flushall()
  expect(here.handled).toEqual([])
  here.broken.clear()
  await here.until(() => here.handled.length === 2 * keys.length)
  for (const key of keys)
    expect(here.handled.filter((one) => one.startsWith(`${key} `))).toEqual([`${key} 1`, `${key} 2`])
  redis.disconnect()
})
