import { accounts } from '@millrace/accounts'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { AccountScript } from '../support/account-script.ts'
import { between, randomOf, testSeed } from '../support/random.ts'
import { startRedis } from '../support/redis.ts'
import { Child } from './child.ts'
import type { MailOrder, MailWord } from './mail-process.ts'

/** Of one partition, as the service says. */
const repeatsAtMost = 18

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A Redis with so many sign-ups on its log, and a provider. */
async function setUp(signUps: number) {
  const redis = await startRedis({ appendonly: true })
  closing.push(() => redis.stop())
  const provider = await FaultySmtpServer.start()
  closing.push(() => provider.stop())
  const log = await connectLog({ url: redis.url })
  closing.push(() => log.close())
  const groups = await connectGroupStore({ url: redis.url })
  closing.push(() => groups.close())
  const script = new AccountScript(log)
  await Promise.all(Array.from({ length: signUps }, (_, at) => script.signUp(`u${at}`)))
  const start = (leaseMs: number, heard: (word: MailWord) => void = () => undefined, name?: string) => {
    const order: MailOrder = {
      ...{ redisUrl: redis.url, smtpUrl: provider.url, leaseMs },
      ...(name === undefined ? {} : { name }),
    }
    const child = new Child<MailOrder, MailWord>('mail-process.ts', order, heard)
    closing.push(() => child.kill())
    return child
  }
  const states = () =>
    Promise.all(
      Array.from({ length: accounts.partitions }, (_, partition) =>
        groups.look({ topic: accounts, partition, group: 'mail' }),
      ),
    )
  const addresses = () => new Set(provider.record.mails.flatMap(({ to }) => to)).size
  const everybody = async (count: number) => {
    while (addresses() < count) await provider.record.received(provider.record.mails.length + 1)
  }
  /** Texts and ids that one address has got: one, however often it got them. */
  const variants = () =>
    [...Map.groupBy(provider.record.mails, ({ to }) => to[0]).values()].map(
      (mails) => new Set(mails.map(({ messageId, text, html }) => `${messageId}${text}${html}`)).size,
    )
  return { provider, script, start, states, everybody, variants }
}

const seed = testSeed()

test(`mail killed at random points: every account gets its mail, each repeat with the same Message-ID (seed ${seed})`, async () => {
  const [total, kills] = [300, 6]
  const random = randomOf(seed)
  const { provider, start, states, everybody, variants } = await setUp(total)
  const points = Array.from({ length: kills }, () => between(random, 1, total - 20))
  for (const [turn, point] of points.toSorted((a, b) => a - b).entries()) {
    // The next process has at once what one of its name held; once it has another name, and waits for the leases.
    const mail = start(3_000, undefined, turn < kills / 2 ? 'first' : 'second')
    await provider.record.received(point)
    expect(mail.running).toBe(true)
    await mail.kill()
  }
  start(60_000, undefined, 'second')
  await everybody(total)
  expect(variants()).toEqual(Array.from({ length: total }, () => 1))
  const repeated = provider.record.mails.length - total
  console.info(`${repeated} of ${total} mails were sent again after ${kills} kills`)
  expect(repeated).toBeLessThanOrEqual(kills * repeatsAtMost * accounts.partitions)
  expect((await states()).reduce((sum, { deadLetters }) => sum + deadLetters, 0)).toBe(0)
}, 600_000)

test('mail that is killed and started again under its name goes on at once, however long its leases are', async () => {
  const total = 40
  const { provider, start, everybody, variants } = await setUp(total)
  const first = start(600_000, undefined, 'the-same')
  await provider.record.received(5)
  await first.kill()
  start(600_000, undefined, 'the-same')
  await everybody(total)
  expect(variants()).toEqual(Array.from({ length: total }, () => 1))
})

test('mail paused past its leases: another process takes over, the sleeper is fenced and commits nothing', async () => {
  const total = 120
  const { provider, script, start, states, everybody, variants } = await setUp(total)
  const [held, lost] = [new Set<number>(), new Set<number>()]
  const sleeper = start(3_000, ({ kind, partition, reason }) => {
    if (kind === 'leased') held.add(partition)
    if (kind === 'ended') held.delete(partition)
    if (kind === 'ended' && reason === 'lost') lost.add(partition)
  })
  provider.faults.slow(20)
  await provider.record.received(20)
  await vi.waitFor(() => expect(held.size).toBe(accounts.partitions), 60_000)
  sleeper.pause()
  const taken = new Set<number>()
  let took = (): void => undefined
  const allTaken = new Promise<void>((resolve) => (took = resolve))
  start(60_000, ({ kind, partition }) => {
    if (kind === 'leased') taken.add(partition)
    if (taken.size === accounts.partitions) took()
  })
  await allTaken
  provider.faults.heal()
  await everybody(total)
  sleeper.goOn()
  await vi.waitFor(() => expect(lost.size).toBe(accounts.partitions), 60_000)
  const before = (await states()).map(({ position }) => position.seq)
  expect(variants()).toEqual(Array.from({ length: total }, () => 1))
  // The one that took over goes on; nothing that the sleeper had in hand moves a position back or forth.
  await script.signUp('late')
  await everybody(total + 1)
  const after = (await states()).map(({ position }) => position.seq)
  expect(after.every((seq, partition) => seq >= (before[partition] ?? 0))).toBe(true)
  expect((await states()).every(({ member }) => member !== undefined)).toBe(true)
})
