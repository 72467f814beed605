import { partitionOfKey } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { appendOne, type Cursors } from '../event-log.ts'
import { beginning, recordedMsOf } from '../position.ts'
import type { LogUnderTest } from './log-contract.ts'
import { happened, testTopic, unit } from './fixture.ts'

/** Reading: by partition from a cursor, by key, by position, waiting. */
export function describeReading(subject: () => LogUnderTest): void {
  describe('reading', () => {
    const start: Cursors = new Map([[0, beginning]])

    test('by partition, in order, from any event on, also one within a batch', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      await log.append(
        topic,
        Array.from({ length: 25 }, (_, at) => unit(topic, `k${at % 3}`, { data: at })),
      )
      const all = (await log.read(topic, start)).get(0) ?? []
      expect(all.map(({ event }) => event.data)).toEqual(Array.from({ length: 25 }, (_, at) => at))
      for (const { position } of all) {
        const rest = (await log.read(topic, new Map([[0, position.id]]))).get(0) ?? []
        expect(rest.map((one) => one.position.seq)).toEqual(
          all.map((one) => one.position.seq).filter((seq) => seq > position.seq),
        )
      }
    })

    test('in pages that join without a gap', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      for (let at = 0; at < 7; at++)
        await log.append(
          topic,
          Array.from({ length: at + 1 }, () => unit(topic, 'k')),
        )
      const seqs: number[] = []
      let cursor = beginning
      for (;;) {
        const page = (await log.read(topic, new Map([[0, cursor]]), { limit: 3 })).get(0)
        if (!page) break
        seqs.push(...page.map(({ position }) => position.seq))
        cursor = page.at(-1)?.position.id ?? cursor
      }
      expect(seqs).toEqual(Array.from({ length: 28 }, (_, at) => at + 1))
    })

    test('by key, in order, in pages', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      await log.append(
        topic,
        Array.from({ length: 30 }, (_, at) => unit(topic, at % 2 ? 'odd' : 'even', { data: at })),
      )
      const page = await log.readKey(topic, 'odd', { afterVersion: 5, limit: 4 })
      expect(page.version).toBe(15)
      expect(page.events.map(({ event }) => event.data)).toEqual([11, 13, 15, 17])
      expect(await log.readKey(topic, 'nobody')).toEqual({ events: [], version: 0 })
    })

    test('by position', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const result = await appendOne(log, topic, {
        events: [happened(topic, 'a', 1), happened(topic, 'a', 2), happened(topic, 'a', 3)],
      })
      const positions = result.status === 'appended' ? result.positions : []
      for (const [at, position] of positions.entries())
        expect((await log.readAt(topic, position))?.event.data).toBe(at + 1)
      const beyond = { topic: topic.name, partition: 0, id: '99999999999999-99', seq: 99 }
      expect(await log.readAt(topic, beyond)).toBeUndefined()
    })

    test('a key always lies in one partition, and the tips count its events', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 4, spread: true })
      await log.append(
        topic,
        Array.from({ length: 40 }, (_, at) => unit(topic, `k${at % 10}`)),
      )
      for (const tip of await log.tips(topic)) {
        const events = (await log.read(topic, new Map([[tip.partition, beginning]]))).get(tip.partition) ?? []
        expect(events.length).toBe(tip.seq)
        expect(events.at(-1)?.position.id ?? beginning).toBe(tip.id)
        for (const { event } of events) expect(partitionOfKey(topic, event.subject)).toBe(tip.partition)
      }
    })

    test('the tips before a time are what was recorded by then', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      await appendOne(log, topic, unit(topic, 'a'))
      await log.append(topic, [unit(topic, 'a'), unit(topic, 'b')])
      const all = (await log.read(topic, start)).get(0) ?? []
      const times = all.map(({ position }) => recordedMsOf(position.id))
      for (const beforeMs of [0, ...times, ...times.map((ms) => ms + 1)]) {
        const last = all.findLast((_, at) => (times[at] ?? 0) < beforeMs)?.position
        const [tip] = await log.tips(topic, { beforeMs })
        expect(tip).toEqual({ partition: 0, id: last?.id ?? beginning, seq: last?.seq ?? 0 })
      }
    })

    test('a waiting read answers with the next event', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 2 })
      const cursors = new Map([
        [0, beginning],
        [1, beginning],
      ])
      const waiting = log.read(topic, cursors, { waitMs: 30_000 })
      await appendOne(log, topic, unit(topic, 'a', { data: 'news' }))
      expect([...(await waiting).values()].flat().map(({ event }) => event.data)).toEqual(['news'])
    })

    test('a waiting read is not ended by the event of another topic', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const other = testTopic({ partitions: 1 })
      const waiting = log.read(topic, start, { waitMs: 30_000 })
      await appendOne(log, other, unit(other, 'a'))
      await appendOne(log, topic, unit(topic, 'a', { data: 'news' }))
      expect([...(await waiting).values()].flat().map(({ event }) => event.data)).toEqual(['news'])
    })

    test('a waiting read ends with its time or its signal, without an error', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      expect((await log.read(topic, start, { waitMs: 20 })).size).toBe(0)
      const abort = new AbortController()
      const waiting = log.read(topic, start, { waitMs: 60_000, signal: abort.signal })
      abort.abort()
      expect((await waiting).size).toBe(0)
    })
  })
}
