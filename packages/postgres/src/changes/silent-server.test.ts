import type { ChangeSource, StreamItem } from '@millrace/source'
import type { Pool } from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { CutProxy } from '../../../../test/support/cut-proxy.ts'
import { startPostgres, type TestPostgres } from '../../../../test/support/postgres.ts'
import { openPool } from '../pool.ts'
import { createPostgresSource } from './postgres-source.ts'

/** Long for a server on a busy machine. */
const silenceMs = 2_000
/** A source asks its server four times before it takes it for gone. */
const askMs = silenceMs / 4

let server: TestPostgres
let pool: Pool

beforeAll(async () => {
  server = await startPostgres()
  pool = openPool(server.url, { onError: () => undefined })
})
afterAll(async () => {
  await pool.end()
  await server.stop()
})

/** A source over a network that can hang, with a table. */
async function sourceOver(
  name: string,
): Promise<{ readonly source: ChangeSource; readonly proxy: CutProxy }> {
  await pool.query(`CREATE TABLE ${name} (id integer PRIMARY KEY)`)
  const proxy = await CutProxy.open(Number(new URL(server.url).port))
  const url = new URL(server.url)
  url.host = `127.0.0.1:${proxy.port}`
  const tables = [{ table: `public.${name}` }]
  const source = createPostgresSource({
    ...{ url: url.href, name, tables, silenceMs },
    onError: () => undefined,
  })
  onTestFinished(async () => {
    await source.close()
    await proxy.close()
  })
  return { source, proxy }
}

/** From now on sources ask their servers for a word when the test says so. */
function asksWhenTold(): { readonly askAgain: () => void } {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  return { askAgain: () => void vi.advanceTimersByTime(askMs) }
}

async function* changesOf(items: AsyncIterable<StreamItem>): AsyncGenerator<unknown> {
  for await (const item of items) if (item.kind === 'changes') yield item.changes[0]?.row?.['id']
}

test('a stream whose server is gone without a word fails, and goes on where it was when there is one again', async () => {
  const { askAgain } = asksWhenTold()
  const { source, proxy } = await sourceOver('hanging')
  const { position, initial } = await source.prepare()
  await initial?.close()
  const changes = changesOf(await source.open(position))
  await pool.query('INSERT INTO hanging VALUES (1)')
  expect(await changes.next()).toMatchObject({ value: 1 })
  proxy.hang()
  const next = changes.next()
  for (let asked = 0; asked <= 4; asked++) askAgain()
  await expect(next).rejects.toMatchObject({
    code: 'service.unavailable',
    cause: { message: 'The server has said nothing for 2000 ms' },
  })
  proxy.resume()
  await pool.query('INSERT INTO hanging VALUES (2)')
  const again = changesOf(await source.open((await source.prepare()).position))
  // Nothing was acknowledged.
  expect(await again.next()).toMatchObject({ value: 1 })
  expect(await again.next()).toMatchObject({ value: 2 })
})

test('a process that was held up itself does not take its server for gone', async () => {
  const { source } = await sourceOver('held_up')
  const { position, initial } = await source.prepare()
  await initial?.close()
  const changes = changesOf(await source.open(position))
  await pool.query('INSERT INTO held_up VALUES (1)')
  expect(await changes.next()).toMatchObject({ value: 1 })
  const next = changes.next()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, silenceMs * 1.3)
  await pool.query('INSERT INTO held_up VALUES (2)')
  expect(await next).toMatchObject({ value: 2 })
})

test('a quiet server that answers is not taken for gone', async () => {
  const { askAgain } = asksWhenTold()
  const { source, proxy } = await sourceOver('quiet')
  const { position, initial } = await source.prepare()
  await initial?.close()
  const changes = changesOf(await source.open(position))
  const next = changes.next()
  let answers = 0
  proxy.cutWhen(() => (answers++, false))
  for (let asked = 0; asked < 10; asked++) {
    const before = answers
    askAgain()
    await expect.poll(() => answers).toBeGreaterThan(before)
  }
  await pool.query('INSERT INTO quiet VALUES (1)')
  expect(await next).toMatchObject({ value: 1 })
})
