import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { startRedis } from '../support/redis.ts'

const example = join(import.meta.dirname, '../../examples/experiment.ts')

test('an experiment with its own group ends without a trace', async () => {
  const redis = await startRedis()
  const connection = new Redis(redis.url, { replyMapping: 'legacy' })
  try {
    const run = () =>
      execFileSync(process.execPath, [example], { env: { ...process.env, REDIS_URL: redis.url } })
    run()
    const before = await everything(connection)
    expect(before.length).toBeGreaterThan(0)
    run()
    expect(await everything(connection)).toEqual(before)
    const streams = before.filter(([, type]) => type === 'stream')
    for (const [name] of streams) expect(await connection.xinfo('GROUPS', name)).toEqual([])
  } finally {
    connection.disconnect()
    await redis.stop()
  }
})

/** Every key with its type and its length, in order. */
async function everything(connection: Redis): Promise<readonly (readonly [string, string, number])[]> {
  const names = (await connection.keys('*')).toSorted((a, b) => (a < b ? -1 : 1))
  return Promise.all(
    names.map(async (name) => {
      const type = await connection.type(name)
      return [name, type, type === 'stream' ? await connection.xlen(name) : 0] as const
    }),
  )
}
