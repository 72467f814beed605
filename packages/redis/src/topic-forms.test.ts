import { newEvent, topic } from '@millrace/event'
import { appendOne } from '@millrace/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectLog } from './redis-log.ts'

let server: TestRedis
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

const types = { Made: z.object({}) }
const made = topic('things', { types, partitions: 8 })

test('a topic that is declared in another form than it was made in is refused, before anything is written or read', async () => {
  const first = await connectLog({ url: server.url })
  await appendOne(first, made, { events: [newEvent(made, { type: 'Made', key: 'a', data: {} })] })
  await first.close()

  const log = await connectLog({ url: server.url })
  const fewer = topic('things', { types, partitions: 4 })
  const together = topic('things', { types, partitions: 8, placement: 'together' })
  for (const other of [fewer, together]) {
    const refused = expect.objectContaining({
      code: 'topic.mismatch',
      message: expect.stringContaining('was made with 8 partitions, spread') as string,
    }) as Error
    const event = newEvent(other, { type: 'Made', key: 'a', data: {} })
    await expect(log.append(other, [{ events: [event] }])).rejects.toEqual(refused)
    await expect(log.readKey(other, 'a')).rejects.toEqual(refused)
    await expect(log.tips(other)).rejects.toEqual(refused)
    await expect(log.read(other, new Map([[0, '0-0']]))).rejects.toEqual(refused)
  }
  const same = topic('things', { types, partitions: 8 })
  expect((await log.readKey(same, 'a')).version).toBe(1)
  await log.close()
})
