import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connectRetryClock, openDashboardQueues, openEffectBoard } from '@millrace/bullmq'
import { serverOptions } from '@millrace/redis'
import type { RetryJob } from '@millrace/retry'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLateServer } from '../support/late-server.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { selfSigned } from '../support/self-signed.ts'

const password = 'pass:word/1'
const secret = 'a secret of the tests'
const directory = mkdtempSync(path.join(tmpdir(), 'millrace-queues-'))
let onSocket: TestRedis
let onTls: TestRedis
beforeAll(async () => {
  onSocket = await startRedis({ unixSocket: true, extra: [`requirepass ${password}`] })
  onTls = await startRedis({ tls: await selfSigned(directory) })
})
afterAll(async () => {
  await onSocket.stop()
  await onTls.stop()
  rmSync(directory, { recursive: true })
})

const place = { topic: 'orders', group: 'mail', effects: ['post'] }
const at = (url: string) => ({ redis: serverOptions(url) })

function jobOf(): RetryJob {
  return {
    ...{ topic: 'orders', partition: 0, group: 'mail', generation: 0, key: 'order-17', parkNo: 1, head: 7 },
    ...{ attempt: 3, dueMs: Date.now() },
    story: {
      ...{ type: 'OrderPlaced', eventId: 'e1', correlationId: 'c1', reason: 'mail.refused' },
      ...{ error: 'refused', stack: '', data: {} },
    },
  }
}

test.each([
  ['after the name of the machine', 'localhost'],
  ['before the path', ''],
])(
  'queues over a unix socket with a password %s plan, hear, show and are looked at',
  async (_where, host) => {
    const socket = onSocket.url.replace('redis.sock', '%72edis.sock')
    const url = `unix://:${encodeURIComponent(password)}@${host}${socket}`
    const troubles: unknown[] = []
    const more = { ...at(url), onTrouble: (error: unknown) => void troubles.push(error) }
    const clock = await connectRetryClock({ ...place, ...more, secret })
    const board = openEffectBoard({ ...place, ...more, member: 'a' })
    const dashboard = openDashboardQueues({ ...more, secret, groups: [place] })
    const { promise: heard, resolve: hear } = Promise.withResolvers<string>()
    clock.onDue(async ({ key }) => {
      hear(key)
      return 'stale'
    })
    await clock.schedule(jobOf())
    expect(await heard).toBe('order-17')
    board.show({ name: 'post', state: 'open', sinceMs: 0, waiting: 3 })
    await board.shown()
    const post = dashboard.queues.find(({ kind }) => kind === 'effect')?.queue
    expect(await post?.getJobs()).toMatchObject([{ data: { waiting: 3 } }])
    await clock.close()
    await board.close()
    await dashboard.close()
    expect(troubles).toEqual([])
  },
)

/** What opens connections, and gives them up once the server has said something that has not come yet. */
const openers = [
  {
    what: 'clock of retries',
    open: async (options: Options) => {
      // It gives up by itself.
      const connected = connectRetryClock({ ...place, ...options, secret, timeoutMs: 1_000 })
      await expect(connected).rejects.toMatchObject({ code: 'retry.unavailable' })
    },
  },
  {
    what: 'dashboard',
    open: async (options: Options, said: Promise<void>) => {
      const dashboard = openDashboardQueues({ ...options, secret, groups: [place] })
      await said
      await dashboard.close()
    },
  },
]

type Options = ReturnType<typeof at> & { readonly onTrouble: (error: unknown) => void }

test.each(openers)(
  'a $what that gives up on a server that is not trusted ends no process',
  async ({ open }) => {
    const heard: unknown[] = []
    const onTrouble = (error: unknown) => void heard.push(error)
    // Who stands still for longer than a disconnect waits hears nothing at all.
    while (!heard.some((error) => codeOf(error) === 'DEPTH_ZERO_SELF_SIGNED_CERT')) {
      const { promise: said, resolve: say } = Promise.withResolvers<void>()
      const late = await openLateServer(onTls.tlsPort, say)
      await open({ ...at(`rediss://:hunter2@127.0.0.1:${late.port}`), onTrouble }, said)
      await late.close()
    }
    for (const error of heard) expect(String(error)).not.toContain('hunter2')
  },
)

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
