import { accounts, createSessionTokens } from '@millrace/accounts'
import type { ConsumerHealth } from '@millrace/processor'
import { accountLinks, createMailService } from '@millrace-app/mail'
import { createUserQuery, openAccountView } from '@millrace-app/user-query'
import { connectGroupStore, connectLog, connectMemberList } from '@millrace/redis'
import { createMailDelivery, createMailSender } from '@millrace/smtp'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { CheckpointWatch } from '@millrace/view'
import { parsePosition } from '@millrace/log'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { AccountScript } from '../support/account-script.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let redis: TestRedis
let postgres: TestPostgres
let tests = 0
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  ;[redis, postgres] = await Promise.all([startRedis(), startPostgres()])
})
afterAll(async () => {
  await Promise.all([redis.stop(), postgres.stop()])
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore }
const http = {
  logger: silent,
  context: { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined },
}
const key = Buffer.alloc(32, 7)

/** A log of the test's own, and what each instance connects to: as in a process of its own. */
async function setUp() {
  const place = { url: redis.url, prefix: `test-${++tests}` }
  const log = await connectLog(place)
  closing.push(() => log.close())
  const connect = async () => {
    const [groups, members] = await Promise.all([connectGroupStore(place), connectMemberList(place)])
    closing.push(() => groups.close(), () => members.close()) // oxfmt-ignore
    return { log, groups, members }
  }
  return { script: new AccountScript(log), connect }
}

type Instance = { stop(): Promise<void>; health(): ConsumerHealth }

const owned = ({ health }: Instance) => health().partitions.filter((partition) => partition.owned).length

/** Waits until these instances have all partitions, each its share. */
async function shared(...instances: readonly Instance[]): Promise<void> {
  const share = accounts.partitions / instances.length
  while (!instances.every((instance) => owned(instance) === share))
    await new Promise((resolve) => setTimeout(resolve, 20))
}

const ids = (from: number, count: number) => Array.from({ length: count }, (_, at) => `u${from + at}`)

test('two instances of user-query share the partitions; each event is in their view once', async () => {
  const { script, connect } = await setUp()
  const start = async () => {
    const view = await openAccountView({ url: postgres.url, schema: `shared_${tests}`, onError: ignore })
    closing.push(() => view.close())
    const service = createUserQuery({
      ...(await connect()),
      view,
      sessions: createSessionTokens({ key }),
      tokens: [],
      http,
    })
    await service.start()
    closing.push(() => service.stop())
    return { view, ...service }
  }
  const first = await start()
  const positions = await Promise.all(ids(0, 100).map((id) => script.signUp(id)))
  const second = await start()
  await shared(first, second)
  positions.push(...(await Promise.all(ids(100, 100).map((id) => script.signUp(id)))))
  // Who asks the one may ask for what the other has applied.
  const watch = new CheckpointWatch(second.view)
  await Promise.all(positions.map((position) => watch.reached(parsePosition(position), 120_000)))
  await first.stop()
  await shared(second)
  await watch.reached(parsePosition(await script.signUp('late')), 120_000)
  watch.stop()
  const rows = await second.view.read((all) => all.load([...ids(0, 200), 'late']))
  expect(rows).toHaveLength(201)
  expect(new Set(rows.map(({ version }) => version))).toEqual(new Set([1]))
  // Of one day, unless midnight went by.
  const days = await second.view.read((all) => all.signUps('day', 10))
  expect(days.reduce((sum, { count }) => sum + count, 0)).toBe(201)
})

test('two instances of mail share the partitions; each account gets one mail, through joins and leaves', async () => {
  const { script, connect } = await setUp()
  const provider = await FaultySmtpServer.start()
  closing.push(() => provider.stop())
  /** What makes a mail go out again: leases that were lost, answers that did not come, a stop that took too long. */
  const hardships: string[] = []
  const start = async () => {
    const service = createMailService({
      ...(await connect()),
      observe: (event) => {
        if (event.kind === 'ended' && !['moved', 'stop'].includes(event.reason)) hardships.push(event.reason)
        if (['fenced', 'retry', 'parked', 'trouble', 'stalled'].includes(event.kind))
          hardships.push(event.kind)
      },
      delivery: createMailDelivery(createMailSender(provider.url, { address: 'hello@millrace.test' })),
      links: accountLinks({ key, publicUrl: 'http://127.0.0.1:3000' }),
      mails: { product: { name: 'Millrace', url: 'http://127.0.0.1:3000' }, messageIdHost: 'mail.test' },
    })
    await service.start()
    closing.push(() => service.stop())
    return { stop: () => service.stop(), health: () => service.health().consumer }
  }
  const { record } = provider
  const everybody = async (count: number) => {
    const reached = () => new Set(record.mails.flatMap(({ to }) => to)).size
    while (reached() < count) await record.received(record.mails.length + 1)
  }
  const signUps = (from: number) => Promise.all(ids(from, 80).map((id) => script.signUp(id)))
  const first = await start()
  await signUps(0)
  const second = await start()
  await signUps(80)
  await shared(first, second)
  await signUps(160)
  await everybody(240)
  const stopMs = performance.now()
  await first.stop()
  if (performance.now() - stopMs > 2_000) hardships.push('slow stop')
  await shared(second)
  await signUps(240)
  await everybody(320)
  expect(new Set(record.mails.map(({ messageId }) => messageId)).size).toBe(320)
  // On a machine that stands still some go out again; else none does.
  const repeated = record.mails.length - 320
  expect({ repeated, hardships }).toSatisfy(() => repeated === 0 || hardships.length > 0)
})

function ignore(): void {
  // Nothing that is said here matters to the test.
}
