import { beginning } from '@millrace/log'
import { happened, testTopic, unit } from '@millrace/log/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { AppendLab, packing } from '../../../test/support/append-lab.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { eventsOf } from './entry.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

const seed = testSeed()

let server: TestRedis | undefined
let log: RedisLog | undefined
beforeAll(async () => {
  server = await startRedis()
  log = await connectLog({ url: server.url })
})
afterAll(async () => {
  await log?.close()
  await server?.stop()
})

interface Packed {
  readonly data: readonly unknown[]
  readonly bytes: number
}

/** The entries as they lie in Redis, each checked against what it says of itself. */
async function entriesOf(lab: AppendLab): Promise<readonly Packed[]> {
  const entries = await lab.redis.xrange(lab.names.log, '-', '+')
  let seq = 0
  return entries.map(([id, [e = '', body = '', n = '', counts = '']], at) => {
    const events = eventsOf({ topic: lab.topic.name, partition: 0, id, body })
    expect([e, n, counts]).toEqual(['e', 'n', `${at + 1} ${events.length}`])
    for (const { position } of events) expect(position.seq).toBe(++seq)
    // Brackets and commas are not counted.
    const bytes = Buffer.byteLength(body) - events.length - 1
    return { data: events.map(({ event }) => event.data), bytes }
  })
}

const withLab = async (use: (lab: AppendLab) => Promise<void>) => {
  const lab = await AppendLab.open(server?.url ?? '')
  try {
    await use(lab)
  } finally {
    lab.close()
  }
}

describe('events of a call become entries', () => {
  test.each([
    [1, [1]],
    [packing.events, [packing.events]],
    [packing.events + 1, [packing.events, 1]],
    [2 * packing.events, [packing.events, packing.events]],
    [2 * packing.events + 5, [packing.events, packing.events, 5]],
  ])('%i events lie in entries of %j', (count, sizes) =>
    withLab(async (lab) => {
      await lab.append(
        ...Array.from({ length: count }, (_, at) => unit(lab.topic, `k${at % 3}`, { data: at })),
      )
      const entries = await entriesOf(lab)
      expect(entries.map(({ data }) => data.length)).toEqual(sizes)
      expect(entries.flatMap(({ data }) => data)).toEqual(Array.from({ length: count }, (_, at) => at))
    }),
  )

  test('an event that is larger than an entry has one of its own', () =>
    withLab(async (lab) => {
      const large = 'ü'.repeat(packing.bytes)
      await lab.append(...['a', large, 'b', 'c'].map((data) => unit(lab.topic, 'k', { data })))
      expect((await entriesOf(lab)).map(({ data }) => data)).toEqual([['a'], [large], ['b', 'c']])
    }))

  test(`whatever their sizes, scripts and neighbours: all in order, none too large (seed ${seed})`, async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom(
        '"],["',
        '\\',
        '\u2028',
        '€'.repeat(packing.bytes / 6),
        'x'.repeat(packing.bytes - 300),
      ),
    )
    const draft = fc.record({ text, key: fc.constantFrom('a', 'ß', '鍵'), stands: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(draft, { minLength: 1, maxLength: 45 }), (drafts) =>
        withLab(async (lab) => {
          const units = drafts.map(({ text: data, key, stands }) =>
            unit(lab.topic, key, { data, ...(stands ? {} : { expectedVersion: 1_000 }) }),
          )
          await lab.append(...units)
          const entries = await entriesOf(lab)
          expect(entries.flatMap(({ data }) => data)).toEqual(
            drafts.flatMap(({ text: data, stands }) => (stands ? [data] : [])),
          )
          for (const { data, bytes } of entries) {
            expect(data.length).toBeLessThanOrEqual(packing.events)
            expect(data.length === 1 || bytes <= packing.bytes, `${bytes} bytes`).toBe(true)
          }
        }),
      ),
      { seed, numRuns: 60 },
    )
  })
})

describe('a thousand events', () => {
  const all = Array.from({ length: 1_000 }, (_, at) => at)

  test('in one append of many units keep their order, and a repeat writes none of them again', async () => {
    const topic = testTopic({ partitions: 1 })
    const units = all.map((at) =>
      unit(topic, `k${at % 7}`, { data: at, expectedVersion: Math.floor(at / 7) }),
    )
    const results = await log?.append(topic, units)
    expect(results?.map((result) => result.status === 'appended' && result.positions[0]?.seq)).toEqual(
      all.map((at) => at + 1),
    )
    const again = await log?.append(topic, units)
    expect(new Set(again?.map(({ status }) => status))).toEqual(new Set(['duplicate']))
    const read = (await log?.read(topic, new Map([[0, beginning]]), { limit: 2_000 }))?.get(0)
    expect(read?.map(({ event }) => event.data)).toEqual(all)
  })

  test('of one unit stand together or not at all', async () => {
    const topic = testTopic({ partitions: 1 })
    const events = all.map((at) => happened(topic, 'k', at))
    const [refused] = (await log?.append(topic, [{ events, expectedVersion: 1 }])) ?? []
    expect(refused?.status).toBe('refused')
    const [result] = (await log?.append(topic, [{ events, expectedVersion: 0 }])) ?? []
    expect(result).toMatchObject({ status: 'appended', version: 1_000 })
    expect((await log?.readKey(topic, 'k', { limit: 2_000 }))?.events.map(({ event }) => event.data)).toEqual(
      all,
    )
  })

  test('of one channel batch are taken at once', async () => {
    const topic = testTopic({ partitions: 1 })
    const events = all.map((at) => happened(topic, `k${at}`, at))
    const batch = { partition: 0, channel: 'feed', incarnation: 1, first: 1, events }
    expect(await log?.appendChannel(topic, batch)).toEqual({ status: 'appended', taken: 1_000, last: 1_000 })
  })
})
