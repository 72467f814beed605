import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { appendOne } from '../event-log.ts'
import type { LogUnderTest } from './log-contract.ts'
import { happened, testTopic, unit } from './fixture.ts'

/** Appending: atomic units, dense positions, dedupe, expected versions. */
export function describeAppending(subject: () => LogUnderTest): void {
  describe('appending', () => {
    test('gives positions that are dense within the partition and ordered', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const results = await log.append(topic, [
        unit(topic, 'a'),
        unit(topic, 'b'),
        { events: [happened(topic, 'a'), happened(topic, 'a')] },
      ])
      const seqs = results.flatMap((result) =>
        result.status === 'appended' ? result.positions.map((position) => position.seq) : [],
      )
      expect(seqs).toEqual([1, 2, 3, 4])
      expect(results.map((result) => result.status === 'appended' && result.version)).toEqual([1, 1, 3])
    })

    test('answers a repeat with the first position and writes nothing', async () => {
      const { log } = subject()
      const topic = testTopic()
      const first = await appendOne(log, topic, unit(topic, 'a', { id: 'one' }))
      await appendOne(log, topic, unit(topic, 'a', { id: 'two' }))
      const again = await appendOne(log, topic, unit(topic, 'a', { id: 'one', data: { other: true } }))
      expect(again).toEqual({
        status: 'duplicate',
        positions: first.status === 'appended' ? first.positions : [],
      })
      expect((await log.readKey(topic, 'a')).version).toBe(2)
    })

    test('knows a repeat within one call', async () => {
      const { log } = subject()
      const topic = testTopic()
      const [first, second] = await log.append(topic, [
        unit(topic, 'a', { id: 'one' }),
        unit(topic, 'a', { id: 'one' }),
      ])
      expect(first?.status).toBe('appended')
      expect(second?.status).toBe('duplicate')
    })

    test('the same id from another source is another event', async () => {
      const { log } = subject()
      const topic = testTopic()
      const event = happened(topic, 'a', {}, 'one')
      const [, other] = await log.append(topic, [
        { events: [event] },
        { events: [{ ...event, source: '/elsewhere' }] },
      ])
      expect(other?.status).toBe('appended')
    })

    test('refuses a repeat with another fingerprint', async () => {
      const { log } = subject()
      const topic = testTopic()
      await appendOne(log, topic, unit(topic, 'a', { id: 'one', fingerprint: 'f1' }))
      const repeat = log.append(topic, [
        unit(topic, 'a', { id: 'one', fingerprint: 'f1' }),
        unit(topic, 'a', { id: 'one', fingerprint: 'f2' }),
      ])
      const [same, other] = await repeat
      expect(same?.status).toBe('duplicate')
      expect(other).toMatchObject({ status: 'refused', error: { code: 'append.fingerprint' } })
    })

    test('refuses a unit of which only a part is on the log', async () => {
      const { log } = subject()
      const topic = testTopic()
      await appendOne(log, topic, unit(topic, 'a', { id: 'one' }))
      const [mixed] = await log.append(topic, [
        { events: [happened(topic, 'a', {}, 'one'), happened(topic, 'a', {}, 'new')] },
      ])
      expect(mixed).toMatchObject({ status: 'refused', error: { code: 'append.partial-duplicate' } })
      expect((await log.readKey(topic, 'a')).version).toBe(1)
    })

    test('holds the expected version, within a call too', async () => {
      const { log } = subject()
      const topic = testTopic()
      const results = await log.append(topic, [
        unit(topic, 'a', { expectedVersion: 0 }),
        unit(topic, 'a', { expectedVersion: 0 }),
        unit(topic, 'a', { expectedVersion: 1 }),
        unit(topic, 'b', { expectedVersion: 3 }),
      ])
      expect(results.map((result) => result.status)).toEqual(['appended', 'refused', 'appended', 'refused'])
      expect(results[1]).toMatchObject({ error: { code: 'append.version', details: { version: 1 } } })
    })

    test('of many writers that expect one version, one wins', async () => {
      const { log } = subject()
      const topic = testTopic()
      const results = (
        await Promise.all(
          Array.from({ length: 50 }, () => log.append(topic, [unit(topic, 'a', { expectedVersion: 0 })])),
        )
      ).flat()
      expect(results.filter((result) => result.status === 'appended')).toHaveLength(1)
      expect((await log.readKey(topic, 'a')).version).toBe(1)
    })

    test('forgets ids without claims after their window, and not before', async () => {
      const { log, advance, windowMs } = subject()
      const topic = testTopic({ partitions: 1 })
      await appendOne(log, topic, unit(topic, 'a', { id: 'one' }))
      advance(windowMs - 1)
      await appendOne(log, topic, unit(topic, 'a', { id: 'two' }))
      expect((await appendOne(log, topic, unit(topic, 'a', { id: 'one' }))).status).toBe('duplicate')
      for (const id of ['three', 'four', 'five']) {
        advance(windowMs)
        await appendOne(log, topic, unit(topic, 'a', { id }))
      }
      expect((await appendOne(log, topic, unit(topic, 'a', { id: 'one' }))).status).toBe('appended')
    })

    test('refuses what is too large or does not belong together, and takes its neighbours', async () => {
      const { log } = subject()
      const topic = testTopic({ maxEventBytes: 2_000 })
      const results = await log.append(topic, [
        unit(topic, 'a', { data: 'x'.repeat(3_000) }),
        { events: [happened(topic, 'a'), happened(topic, 'b')] },
        { events: [] },
        unit(topic, 'a'),
      ])
      expect(
        results.map((result) => (result.status === 'refused' ? result.error.code : result.status)),
      ).toEqual(['event.too-large', 'event.invalid', 'event.invalid', 'appended'])
    })

    test('refuses an envelope that nobody could read, alone', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const wrong = [{ time: 'yesterday' }, { correlationid: '' }, { subject: '\ud800' }, { source: 'a b' }]
      const results = await log.append(topic, [
        ...wrong.map((part) => ({ events: [{ ...happened(topic, 'a'), ...part }] })),
        unit(topic, 'a', { fingerprint: 'of two words' }),
        unit(topic, 'a'),
      ])
      expect(
        results.map((result) => (result.status === 'refused' ? result.error.code : result.status)),
      ).toEqual([...Array.from({ length: 5 }, () => 'event.invalid'), 'appended'])
    })

    test('takes nothing of a call with a mistake in it', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const unwritable = { events: [{ ...happened(topic, 'a'), data: 1n }] }
      await expect((async () => log.append(topic, [unit(topic, 'a'), unwritable]))()).rejects.toBeInstanceOf(
        TypeError,
      )
      expect(await appendOne(log, topic, unit(topic, 'a'))).toMatchObject({ version: 1 })
    })

    test('keeps text of every script as it was', async () => {
      const { log } = subject()
      const topic = testTopic()
      const data = {
        text: 'Zoë 你好 👩‍👩‍👧 "quoted" \\ \u2028 ]},[{',
        'naïve key': [null, 1.5, -0.1, true, { deep: [] }],
      }
      await appendOne(log, topic, {
        events: [happened(topic, 'schlüssel/ü 1', data), happened(topic, 'schlüssel/ü 1', 'ünïcode')],
      })
      const { events } = await log.readKey(topic, 'schlüssel/ü 1')
      expect(events.map(({ event }) => event.data)).toEqual([data, 'ünïcode'])
    })

    test('stream ids never go back when the clock does', async () => {
      const { log, advance } = subject()
      const topic = testTopic({ partitions: 1 })
      await appendOne(log, topic, unit(topic, 'a'))
      advance(-10_000)
      await appendOne(log, topic, unit(topic, 'a'))
      const events = [...(await log.read(topic, new Map([[0, '0-0']]))).values()].flat()
      expect(events.map(({ position }) => position.seq)).toEqual([1, 2])
    })

    test('a mistake of the caller is an error, not a result', async () => {
      const { log } = subject()
      const topic = testTopic({ spread: true })
      const claims = [{ constraint: 'email', field: 'email', action: 'claim' as const, digests: { 1: 'x' } }]
      await expect((async () => log.append(topic, [unit(topic, 'a', { claims })]))()).rejects.toBeInstanceOf(
        TypeError,
      )
      await expect((async () => log.read(topic, new Map([[99, '0-0']])))()).rejects.toBeInstanceOf(
        MillraceError,
      )
    })
  })
}
