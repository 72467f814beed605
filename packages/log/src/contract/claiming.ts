import { describe, expect, test } from 'vitest'
import type { AppendResult } from '../append.ts'
import type { LogUnderTest } from './log-contract.ts'
import { claim, happened, testTopic, unit } from './fixture.ts'

const outcome = (result: AppendResult | undefined) =>
  result?.status === 'refused' ? result.error.code : result?.status

/** Claims: one owner a value, in one step with the events. */
export function describeClaiming(subject: () => LogUnderTest): void {
  describe('claiming', () => {
    test('of many who claim one value, one gets it, and only its event is on the log', async () => {
      const { log } = subject()
      const topic = testTopic()
      const calls = Array.from({ length: 100 }, (_, at) =>
        log.append(topic, [unit(topic, `k${at}`, { expectedVersion: 0, claims: [claim('claim', 'anna')] })]),
      )
      const results = (await Promise.all(calls)).flat()
      expect(results.filter((result) => result.status === 'appended')).toHaveLength(1)
      expect(results.filter((result) => outcome(result) === 'append.claimed')).toHaveLength(99)
      const tips = await log.tips(topic)
      expect(tips.reduce((sum, tip) => sum + tip.seq, 0)).toBe(1)
    })

    test('a refusal names constraint and field and nothing of the owner', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      await log.append(topic, [unit(topic, 'secret-owner', { claims: [claim('claim', 'anna')] })])
      const [result] = await log.append(topic, [unit(topic, 'b', { claims: [claim('claim', 'anna')] })])
      expect(result).toMatchObject({
        status: 'refused',
        error: { code: 'append.claimed', details: { constraint: 'email', field: 'email' } },
      })
      expect(JSON.stringify(result)).not.toContain('secret-owner')
    })

    test('a change takes the new value and frees the old one in one step', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const results = await log.append(topic, [
        unit(topic, 'a', { claims: [claim('claim', 'anna')] }),
        unit(topic, 'a', { claims: [claim('change', 'berta')] }),
        unit(topic, 'b', { claims: [claim('claim', 'anna')] }),
        unit(topic, 'c', { claims: [claim('claim', 'berta')] }),
      ])
      expect(results.map(outcome)).toEqual(['appended', 'appended', 'appended', 'append.claimed'])
      expect(await log.ownerOf(topic, 'email', claim('claim', 'berta').digests)).toBe('a')
    })

    test('a release frees what the owner holds; afterwards it can neither change nor release', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const results = await log.append(topic, [
        unit(topic, 'a', { claims: [claim('claim', 'anna')] }),
        unit(topic, 'a', { claims: [claim('release', null)] }),
        unit(topic, 'a', { claims: [claim('change', 'late')] }),
        unit(topic, 'a', { claims: [claim('release', null)] }),
        unit(topic, 'b', { claims: [claim('claim', 'anna')] }),
      ])
      expect(results.map(outcome)).toEqual([
        'appended',
        'appended',
        'append.not-owner',
        'append.not-owner',
        'appended',
      ])
      expect(await log.ownerOf(topic, 'email', claim('claim', 'late').digests)).toBeUndefined()
    })

    test('nobody can free the value of another', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      await log.append(topic, [unit(topic, 'a', { claims: [claim('claim', 'anna')] })])
      const [stranger] = await log.append(topic, [unit(topic, 'b', { claims: [claim('release', 'anna')] })])
      expect(outcome(stranger)).toBe('append.not-owner')
      expect(await log.ownerOf(topic, 'email', claim('claim', 'anna').digests)).toBe('a')
    })

    test('several constraints are claimed all or none', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      await log.append(topic, [unit(topic, 'a', { claims: [claim('claim', 'anna', 'name')] })])
      const both = [claim('claim', 'x@y', 'email'), claim('claim', 'anna', 'name')]
      const [lost] = await log.append(topic, [unit(topic, 'b', { claims: both })])
      expect(lost).toMatchObject({ error: { details: { constraint: 'name' } } })
      expect(await log.ownerOf(topic, 'email', claim('claim', 'x@y').digests)).toBeUndefined()
      expect((await log.readKey(topic, 'b')).version).toBe(0)
    })

    test('an optional value that is absent holds nothing, and can be given later', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const results = await log.append(topic, [
        unit(topic, 'a', { claims: [claim('claim', null)] }),
        unit(topic, 'b', { claims: [claim('claim', null)] }),
        unit(topic, 'a', { claims: [claim('change', 'anna')] }),
        unit(topic, 'b', { claims: [claim('change', 'anna')] }),
        unit(topic, 'a', { claims: [claim('change', null)] }),
        unit(topic, 'b', { claims: [claim('change', 'anna')] }),
      ])
      expect(results.map(outcome)).toEqual([
        'appended',
        'appended',
        'appended',
        'append.claimed',
        'appended',
        'appended',
      ])
    })

    test('a change to the value it has can append nothing', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const [first] = await log.append(topic, [unit(topic, 'a', { claims: [claim('claim', 'anna')] })])
      const [same] = await log.append(topic, [
        unit(topic, 'a', { claims: [claim('change', 'anna')], skipUnchanged: true }),
      ])
      expect(same).toEqual({
        status: 'unchanged',
        position: first?.status === 'appended' ? first.positions[0] : undefined,
      })
      const [plain] = await log.append(topic, [unit(topic, 'a', { claims: [claim('change', 'anna')] })])
      expect(plain?.status).toBe('appended')
      const both = await log.append(topic, [
        unit(topic, 'a', { claims: [claim('change', 'berta')], skipUnchanged: true }),
        unit(topic, 'a', { claims: [claim('change', 'berta')], skipUnchanged: true }),
      ])
      expect(both.map(outcome)).toEqual(['appended', 'unchanged'])
      expect(both[1]).toMatchObject({ position: both[0]?.status === 'appended' ? both[0].positions[0] : {} })
    })

    test('a repeat gets its first answer even after the claim has moved on, whatever time has passed', async () => {
      const { log, advance, windowMs } = subject()
      const topic = testTopic({ partitions: 1 })
      const create = { id: 'create', claims: [claim('claim', 'anna')], expectedVersion: 0 }
      const [first] = await log.append(topic, [unit(topic, 'a', create)])
      await log.append(topic, [
        unit(topic, 'a', { claims: [claim('change', 'berta')] }),
        unit(topic, 'b', { claims: [claim('claim', 'anna')] }),
      ])
      for (let turn = 0; turn < 4; turn++) {
        advance(windowMs)
        await log.append(topic, [unit(topic, 'a'), unit(topic, 'b')])
      }
      const [again] = await log.append(topic, [unit(topic, 'a', create)])
      expect(again).toEqual({
        status: 'duplicate',
        positions: first?.status === 'appended' ? first.positions : [],
      })
    })

    test('every live keyring version must be given', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const results = await log.append(topic, [
        unit(topic, 'a', { claims: [claim('claim', 'anna', 'email', ['1', '2'])] }),
        unit(topic, 'b', { claims: [claim('claim', 'other', 'email', ['2'])] }),
        unit(topic, 'b', { claims: [claim('claim', 'anna', 'email', ['1', '2', '3'])] }),
        unit(topic, 'c', { claims: [claim('claim', 'fresh', 'email', ['1', '2', '3'])] }),
      ])
      expect(results.map(outcome)).toEqual(['appended', 'append.keyring', 'append.claimed', 'appended'])
      expect(await log.liveVersions(topic)).toEqual(['1', '2'])
    })

    test('a refused claim settles nothing, whatever stands beside it', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const results = await log.append(topic, [
        unit(topic, 'a', { claims: [claim('change', 'anna', 'email', ['8', '9'])] }),
        unit(topic, 'a', { claims: [claim('claim', null)] }),
        unit(topic, 'b', { claims: [claim('claim', 'berta', 'email', ['1'])] }),
      ])
      expect(results.map(outcome)).toEqual(['append.not-owner', 'appended', 'appended'])
      expect(await log.liveVersions(topic)).toEqual(['1'])
    })

    test('names and digests that could be taken for others are refused', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const wrong = [
        { ...claim('claim', 'x'), constraint: 'email:b' },
        { ...claim('claim', 'x'), digests: { 1: 'two words' } },
        { ...claim('claim', 'x'), digests: { '1,2': 'x' } },
      ]
      const results = await log.append(
        topic,
        wrong.map((one) => unit(topic, 'a', { claims: [one] })),
      )
      expect(results.map(outcome)).toEqual(['event.invalid', 'event.invalid', 'event.invalid'])
    })

    test('a unit that names a constraint twice is refused', async () => {
      const { log } = subject()
      const topic = testTopic({ partitions: 1 })
      const [result] = await log.append(topic, [
        { events: [happened(topic, 'a')], claims: [claim('claim', 'x'), claim('claim', 'y')] },
      ])
      expect(outcome(result)).toBe('event.invalid')
    })
  })
}
