import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { startRedis, type TestRedis } from './redis.ts'

let server: TestRedis | undefined
afterEach(async () => {
  await server?.stop()
})

test('a private Redis keeps its data over a kill and a restart', async () => {
  server = await startRedis({ appendonly: true, extra: ['appendfsync always'] })
  await withClient(server.url, (client) => client.set('a', '1'))
  await server.kill()
  await server.restart()
  expect(await withClient(server.url, (client) => client.get('a'))).toBe('1')
})

test('a private Redis can listen on a unix socket alone', async () => {
  server = await startRedis({ unixSocket: true })
  expect(await withClient(server.url, (client) => client.ping())).toBe('PONG')
})

test('two private Redis servers know nothing of each other', async () => {
  server = await startRedis()
  const other = await startRedis()
  await withClient(server.url, (client) => client.set('a', '1'))
  expect(await withClient(other.url, (client) => client.get('a'))).toBeNull()
  await other.stop()
})

async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url)
  const result = await use(client)
  client.disconnect()
  return result
}
