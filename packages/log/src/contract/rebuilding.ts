import { describe, expect, test } from 'vitest'
import { beginning } from '../position.ts'
import type { LogUnderTest } from './log-contract.ts'
import { claim, testTopic, unit } from './fixture.ts'

/** Rebuilding claims beside the live ones, and the swap. */
export function describeRebuilding(subject: () => LogUnderTest): void {
  describe('rebuilding claims', () => {
    const open = async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      await log.append(topic, [
        unit(topic, 'a', { claims: [claim('claim', 'anna')] }),
        unit(topic, 'b', { claims: [claim('claim', 'berta')] }),
      ])
      const tip = (await log.tips(topic))[0]?.id ?? ''
      const entry = (key: string, ...digests: string[]) => ({ constraint: 'email', key, digests })
      return { log, topic, tip, entry, claims: log.claims }
    }

    test('a swap demands that every claim change was read', async () => {
      const { log, topic, tip, entry, claims } = await open()
      expect(await claims.swapRebuild(topic)).toEqual({ status: 'none' })
      await claims.beginRebuild(topic, ['2'])
      expect(await claims.swapRebuild(topic)).toEqual({ status: 'behind' })
      const step = { partition: 0, from: beginning, to: tip, entries: [entry('a', '2:A'), entry('b', '2:B')] }
      expect(await claims.stepRebuild(topic, step)).toBe('added')
      await log.append(topic, [unit(topic, 'c', { claims: [claim('claim', 'carla')] })])
      expect(await claims.swapRebuild(topic)).toEqual({ status: 'behind' })
      const next = (await log.tips(topic))[0]?.id ?? ''
      await claims.stepRebuild(topic, { partition: 0, from: tip, to: next, entries: [entry('c', '2:C')] })
      expect(await claims.swapRebuild(topic)).toEqual({ status: 'swapped' })
      expect(await claims.liveVersions(topic)).toEqual(['2'])
      expect(await claims.ownerOf(topic, 'email', { 2: 'A' })).toBe('a')
      expect(await claims.ownerOf(topic, 'email', claim('claim', 'anna').digests)).toBeUndefined()
      const [late] = await log.append(topic, [
        unit(topic, 'd', { claims: [claim('claim', 'x', 'email', ['1'])] }),
      ])
      expect(late).toMatchObject({ error: { code: 'append.keyring' } })
    })

    test('events without claims do not keep a swap waiting', async () => {
      const { log, topic, tip, entry, claims } = await open()
      await claims.beginRebuild(topic, ['1'])
      await claims.stepRebuild(topic, {
        partition: 0,
        from: beginning,
        to: tip,
        entries: [entry('a', '1:A')],
      })
      await log.append(topic, [unit(topic, 'a')])
      expect(await claims.swapRebuild(topic)).toEqual({ status: 'swapped' })
    })

    test('two keys with one value are a contest that a swap refuses, until one lets go', async () => {
      const { topic, tip, entry, claims } = await open()
      await claims.beginRebuild(topic, ['1'])
      await claims.stepRebuild(topic, {
        partition: 0,
        from: beginning,
        to: tip,
        entries: [entry('a', '1:X'), entry('b', '1:X', '1:Y'), entry('c', '1:X')],
      })
      const result = await claims.swapRebuild(topic)
      expect(result).toMatchObject({
        status: 'contested',
        contested: [{ constraint: 'email', digest: '1:X' }],
      })
      expect(result.status === 'contested' && result.contested[0]?.keys.toSorted()).toEqual(['a', 'b', 'c'])
      const gone = { constraint: 'email', key: 'a', digests: undefined }
      await claims.stepRebuild(topic, { partition: 0, from: tip, to: tip, entries: [gone, entry('c')] })
      expect(await claims.swapRebuild(topic)).toEqual({ status: 'swapped' })
      expect(await claims.ownerOf(topic, 'email', { 1: 'X' })).toBe('b')
      expect(await claims.entryOf(topic, 'email', 'a')).toBeUndefined()
      expect(await claims.entryOf(topic, 'email', 'c')).toEqual({
        constraint: 'email',
        key: 'c',
        digests: [],
      })
    })

    test('goes on where it was, but only one goes on, and other versions start anew', async () => {
      const { topic, tip, entry, claims } = await open()
      await claims.beginRebuild(topic, ['1', '2'])
      const step = { partition: 0, from: beginning, to: tip, entries: [entry('a', '1:A', '2:A')] }
      expect(await claims.stepRebuild(topic, step)).toBe('added')
      expect(await claims.stepRebuild(topic, step)).toBe('stale')
      expect((await claims.beginRebuild(topic, ['2', '1'])).read.get(0)).toBe(tip)
      expect((await claims.beginRebuild(topic, ['3'])).read.get(0)).toBe(beginning)
      await claims.dropRebuild(topic)
      expect(await claims.stepRebuild(topic, step)).toBe('stale')
    })

    test('a gate refuses claim changes for its time and lets everything else pass', async () => {
      const { log, advance } = subject()
      const { topic, claims } = await open()
      await claims.gate(topic, 100)
      const attempt = () =>
        log.append(topic, [unit(topic, 'c', { claims: [claim('claim', 'carla')] }), unit(topic, 'a')])
      const [closed, plain] = await attempt()
      expect(closed).toMatchObject({ error: { code: 'append.gated', retryable: true } })
      expect(plain?.status).toBe('appended')
      advance(101)
      expect((await attempt())[0]?.status).toBe('appended')
      await claims.gate(topic, 10_000)
      await claims.gate(topic, 0)
      const [open2] = await log.append(topic, [unit(topic, 'd', { claims: [claim('claim', 'dora')] })])
      expect(open2?.status).toBe('appended')
    })

    test('entries and digests can be looked through', async () => {
      const { topic, claims } = await open()
      const entries = (await claims.entries(topic)).items
      expect(entries.map((item) => item.key).toSorted()).toEqual(['a', 'b'])
      const digests = (await claims.digests(topic)).items
      expect(digests.map((item) => `${item.digest} ${item.key}`).toSorted()).toEqual([
        '1:1anna a',
        '1:1berta b',
      ])
    })
  })
}
