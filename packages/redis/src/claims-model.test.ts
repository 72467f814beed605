import type { Topic } from '@millrace/event'
import {
  type AppendUnit,
  beginning,
  type ClaimChange,
  type ClaimStore,
  createMemoryLog,
  type EventLog,
  type Page,
} from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { historyOf, Player, type Step } from '../../../test/support/append-history.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

const seed = testSeed()
const windowMs = 60_000

type ClaimingLog = EventLog & { readonly claims: ClaimStore }

let server: TestRedis | undefined
let onRedis: RedisLog | undefined
let now = 0
beforeAll(async () => {
  server = await startRedis()
  onRedis = await connectLog({ url: server.url, dedupeWindowMs: windowMs, now: () => now })
})
afterAll(async () => {
  await onRedis?.close()
  await server?.stop()
})

/** What the log alone says about claims: a fold of its events, in their order, each with what its unit claimed. */
class ClaimsOfLog {
  /** constraint:version:digest → key */
  readonly owners = new Map<string, string>()
  /** constraint:key → digests, by version */
  readonly entries = new Map<string, string>()

  apply(key: string, changes: readonly ClaimChange[], live: readonly string[]): void {
    for (const { constraint, action, digests } of changes) {
      const slot = `${constraint}:${key}`
      const held = this.entries.get(slot)
      expect(held === undefined, `${action} by ${slot}, which holds ${held}`).toBe(action === 'claim')
      for (const tag of (held ?? '').split(' ')) this.owners.delete(`${constraint}:${tag}`)
      if (action === 'release') {
        this.entries.delete(slot)
        continue
      }
      const tags =
        Object.keys(digests).length === 0 ? [] : live.map((version) => `${version}:${digests[version]}`)
      for (const tag of tags) {
        const owner = this.owners.get(`${constraint}:${tag}`)
        expect(owner, `${tag} belongs to ${owner}, and ${key} has an event that takes it`).toBeUndefined()
        this.owners.set(`${constraint}:${tag}`, key)
      }
      this.entries.set(slot, tags.join(' '))
    }
  }
}

async function claimsHold(steps: readonly Step[], log: ClaimingLog, topic: Topic): Promise<void> {
  const player = new Player(topic, log)
  const claimedBy = new Map<string, AppendUnit>()
  for (const step of steps) {
    if (step.do === 'clock') now += step.ms
    if (step.do === 'channel') await log.appendChannel(topic, await player.batch(step))
    if (step.do !== 'append') continue
    const units = await player.units(step.units)
    for (const [at, result] of (await log.append(topic, units)).entries())
      if (result.status === 'appended') claimedBy.set(units[at]?.events[0]?.id ?? '', units[at] as AppendUnit)
  }
  const model = new ClaimsOfLog()
  const live = await log.claims.liveVersions(topic)
  const events = (await log.read(topic, new Map([[0, beginning]]), { limit: 1_000 })).get(0) ?? []
  for (const { event } of events) model.apply(event.subject, claimedBy.get(event.id)?.claims ?? [], live)
  const owners = await all((from) => log.claims.digests(topic, from))
  const entries = await all((from) => log.claims.entries(topic, from))
  expect(new Map(owners.map(({ constraint, digest, key }) => [`${constraint}:${digest}`, key]))).toEqual(
    model.owners,
  )
  expect(
    new Map(entries.map(({ constraint, key, digests }) => [`${constraint}:${key}`, digests.join(' ')])),
  ).toEqual(model.entries)
}

async function all<T>(page: (from: string | undefined) => Promise<Page<T>>): Promise<readonly T[]> {
  const items: T[] = []
  let next: string | undefined
  do {
    const one = await page(next)
    items.push(...one.items)
    next = one.next
  } while (next !== undefined)
  return items
}

const rule = 'no value has two owners, every claim has its event and every event its claim'

test(`on Redis ${rule} (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(historyOf(true, windowMs), (steps) =>
      claimsHold(steps, onRedis as RedisLog, testTopic({ partitions: 1 })),
    ),
    { seed, numRuns: 150 },
  )
})

test(`in memory ${rule} (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(historyOf(true, windowMs), (steps) => {
      const log = createMemoryLog({ clock: { now: () => now }, dedupeWindowMs: windowMs })
      return claimsHold(steps, log, testTopic({ partitions: 1 }))
    }),
    { seed, numRuns: 150 },
  )
})
