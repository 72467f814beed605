import { describe, expect, test } from 'vitest'
import type { ChannelBatch } from '../append.ts'
import { beginning } from '../position.ts'
import type { LogUnderTest } from './log-contract.ts'
import { happened, testTopic } from './fixture.ts'

/** Channels: a producer that counts; no window, no order lost with several batches in flight. */
export function describeChannels(subject: () => LogUnderTest): void {
  describe('channels', () => {
    const topicOfOne = () => testTopic({ partitions: 1 })
    const batchOf = (
      topic: ReturnType<typeof topicOfOne>,
      first: number,
      count: number,
      extra: Partial<ChannelBatch> = {},
    ): ChannelBatch => ({
      partition: 0,
      channel: 'feed',
      incarnation: 1,
      first,
      events: Array.from({ length: count }, (_, at) => happened(topic, `k${(first + at) % 3}`, first + at)),
      ...extra,
    })

    test('take what comes next and know what they have', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      expect(await log.appendChannel(topic, batchOf(topic, 1, 3, { mark: 'lsn-3' }))).toEqual({
        status: 'appended',
        taken: 3,
        last: 3,
      })
      expect(await log.appendChannel(topic, batchOf(topic, 1, 3))).toEqual({
        status: 'appended',
        taken: 0,
        last: 3,
      })
      expect(await log.appendChannel(topic, batchOf(topic, 2, 4, { mark: 'lsn-5' }))).toEqual({
        status: 'appended',
        taken: 2,
        last: 5,
      })
      expect(await log.channel(topic, 0, 'feed')).toEqual({ incarnation: 1, last: 5, mark: 'lsn-5' })
      const events = (await log.read(topic, new Map([[0, beginning]]))).get(0) ?? []
      expect(events.map(({ event }) => event.data)).toEqual([1, 2, 3, 4, 5])
    })

    test('refuse a gap', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      expect(await log.appendChannel(topic, batchOf(topic, 2, 1))).toMatchObject({
        status: 'refused',
        error: { code: 'append.channel-gap' },
        last: 0,
      })
      expect((await log.tips(topic))[0]?.seq).toBe(0)
    })

    test('a newer incarnation starts again and shuts out the older one', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      await log.appendChannel(topic, batchOf(topic, 1, 2))
      expect(await log.appendChannel(topic, batchOf(topic, 1, 1, { incarnation: 2 }))).toMatchObject({
        status: 'appended',
        taken: 1,
        last: 1,
      })
      expect(await log.appendChannel(topic, batchOf(topic, 3, 1))).toMatchObject({
        status: 'refused',
        error: { code: 'append.channel-stale' },
      })
    })

    test('tell the largest incarnations apart', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      const incarnation = Number.MAX_SAFE_INTEGER - 1
      await log.appendChannel(topic, batchOf(topic, 1, 2, { incarnation }))
      expect((await log.channel(topic, 0, 'feed')).incarnation).toBe(incarnation)
      expect(await log.appendChannel(topic, batchOf(topic, 3, 1, { incarnation }))).toMatchObject({ last: 3 })
      expect(
        await log.appendChannel(topic, batchOf(topic, 4, 1, { incarnation: incarnation - 1 })),
      ).toMatchObject({ error: { code: 'append.channel-stale' } })
      expect(
        await log.appendChannel(topic, batchOf(topic, 1, 1, { incarnation: incarnation + 1 })),
      ).toMatchObject({ taken: 1 })
    })

    test('count the bytes of a batch, not its characters', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      // 1.6 million characters, 4.7 million bytes.
      const events = Array.from({ length: 20 }, () => happened(topic, 'k', '€'.repeat(78_000)))
      await expect(
        (async () => log.appendChannel(topic, { ...batchOf(topic, 1, 1), events }))(),
      ).rejects.toMatchObject({ code: 'append.limit' })
    })

    test('move the mark alone, for whoever knows what comes next', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      await log.appendChannel(topic, batchOf(topic, 1, 2, { mark: 'lsn-2' }))
      const alone = (first: number, mark: string) =>
        log.appendChannel(topic, batchOf(topic, first, 0, { mark }))
      expect(await alone(3, 'lsn-9')).toEqual({ status: 'appended', taken: 0, last: 2 })
      expect(await log.channel(topic, 0, 'feed')).toEqual({ incarnation: 1, last: 2, mark: 'lsn-9' })
      // Somebody who has fallen asleep before the second event must not move it back.
      expect(await alone(2, 'lsn-1')).toEqual({ status: 'appended', taken: 0, last: 2 })
      expect(await alone(4, 'lsn-1')).toMatchObject({ error: { code: 'append.channel-gap' } })
      expect(await log.channel(topic, 0, 'feed')).toMatchObject({ mark: 'lsn-9' })
      expect((await log.tips(topic))[0]?.seq).toBe(2)
    })

    test('are taken from whoever has the fence alone', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      const [first, second] = [
        { name: 'feed', token: '1-a' },
        { name: 'feed', token: '2-b' },
      ]
      expect(await log.appendChannel(topic, batchOf(topic, 1, 1, { fence: first }))).toMatchObject({
        error: { code: 'append.channel-fenced' },
      })
      expect(await log.fence(topic, 0, first)).toEqual({ status: 'set' })
      expect(await log.fence(topic, 0, first)).toEqual({ status: 'set' })
      expect(await log.appendChannel(topic, batchOf(topic, 1, 1, { fence: first }))).toMatchObject({
        taken: 1,
      })
      expect(await log.fence(topic, 0, second)).toEqual({ status: 'set' })
      for (const extra of [{ fence: first }, { fence: first, mark: 'lsn-1', events: [] }])
        expect(await log.appendChannel(topic, batchOf(topic, 2, 1, extra))).toMatchObject({
          status: 'refused',
          error: { code: 'append.channel-fenced' },
          last: 1,
        })
      expect(await log.appendChannel(topic, batchOf(topic, 2, 1, { fence: second }))).toMatchObject({
        taken: 1,
      })
    })

    test('keep the fence of the highest counter, and of two alike the first', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      const set = (token: string) => log.fence(topic, 0, { name: 'feed', token })
      expect(await set('10-a')).toEqual({ status: 'set' })
      expect(await set('9-b')).toEqual({ status: 'refused', token: '10-a' })
      expect(await set('10-b')).toEqual({ status: 'refused', token: '10-a' })
      expect(await set('11-a')).toEqual({ status: 'set' })
      expect(await log.fence(topic, 0, { name: 'other', token: '1-a' })).toEqual({ status: 'set' })
      await expect((async () => set('nonsense'))()).rejects.toMatchObject({ code: 'event.invalid' })
    })

    test('do not mix', async () => {
      const { log } = subject()
      const topic = topicOfOne()
      await log.appendChannel(topic, batchOf(topic, 1, 2))
      expect(await log.appendChannel(topic, batchOf(topic, 1, 2, { channel: 'other' }))).toMatchObject({
        taken: 2,
      })
    })

    test('refuse a batch for another partition, an empty one, or one that counts from nothing', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 8 })
      const wrong = {
        partition: 0,
        channel: 'feed',
        incarnation: 1,
        first: 1,
        events: ['a', 'b', 'c'].map((key) => happened(topic, key)),
      }
      await expect((async () => log.appendChannel(topic, wrong))()).rejects.toMatchObject({
        code: 'event.invalid',
      })
      await expect((async () => log.appendChannel(topic, { ...wrong, events: [] }))()).rejects.toMatchObject({
        code: 'event.invalid',
      })
      await expect(
        (async () => log.appendChannel(topicOfOne(), { ...batchOf(topicOfOne(), 1, 1), first: 0 }))(),
      ).rejects.toMatchObject({ code: 'event.invalid' })
    })
  })
}
