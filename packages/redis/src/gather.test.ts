import { MillraceError } from '@millrace/event'
import type { AppendResult, Prepared } from '@millrace/log'
import { happened, testTopic, unit } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import { Gather } from './gather.ts'

const topic = testTopic({ partitions: 1 })
const keysOf = (units: readonly Prepared[]) => units.map((one) => one.key)
const taken = (units: readonly Prepared[]): readonly AppendResult[] =>
  units.map((_, at) => ({ status: 'appended', positions: [], version: at + 1 }))
const many = (count: number, key: string) => Array.from({ length: count }, () => unit(topic, key))

/** A gather that notes what it sends, and fails the calls that it is told to. */
function gatherFailing(failures: Readonly<Record<number, MillraceError>> = {}) {
  const sent: (readonly string[])[] = []
  const gather = new Gather(async (_topic, _partition, units) => {
    const call = sent.push(keysOf(units))
    const failure = failures[call]
    if (failure) throw failure
    return taken(units)
  })
  return { gather, sent }
}

test('what one turn appends to a partition is one call, and each append gets its own results', async () => {
  const { gather, sent } = gatherFailing()
  const results = await Promise.all([gather.append(topic, many(2, 'a')), gather.append(topic, many(1, 'b'))])
  expect(sent).toEqual([['a', 'a', 'b']])
  expect(results.map((one) => one.map((result) => result.status === 'appended' && result.version))).toEqual([
    [1, 2],
    [3],
  ])
})

test('an append of nothing is answered at once', async () => {
  const { gather, sent } = gatherFailing()
  expect(await gather.append(topic, [])).toEqual([])
  expect(sent).toEqual([])
})

test('too much for one call goes in several, one after the other', async () => {
  let under = 0
  let most = 0
  const sizes: number[] = []
  const gather = new Gather(async (_topic, _partition, units) => {
    sizes.push(units.length)
    most = Math.max(most, ++under)
    await new Promise(setImmediate)
    under--
    return taken(units)
  })
  expect(await gather.append(topic, many(250, 'a'))).toHaveLength(250)
  expect(sizes).toEqual([100, 100, 50])
  expect(most).toBe(1)
})

test('a unit of many events does not go with more than a call may hold', async () => {
  const { gather, sent } = gatherFailing()
  const large = { events: Array.from({ length: 999 }, () => happened(topic, 'large')) }
  await gather.append(topic, [unit(topic, 'a'), large, unit(topic, 'b')])
  expect(sent).toEqual([['a', 'large'], ['b']])
})

test('when a part of an append fails, the rest of it is not sent, and others are', async () => {
  const { gather, sent } = gatherFailing({ 1: new MillraceError('append.unknown') })
  const lost = gather.append(topic, many(150, 'a'))
  const other = gather.append(topic, many(2, 'b'))
  await expect(lost).rejects.toMatchObject({ code: 'append.unknown' })
  expect(await other).toHaveLength(2)
  expect(sent).toEqual([Array.from({ length: 100 }, () => 'a'), ['b', 'b']])
})

test('"nothing was written" is only said where it is true', async () => {
  const failure = new MillraceError('log.unavailable')
  const first = gatherFailing({ 1: failure })
  await expect(first.gather.append(topic, many(150, 'a'))).rejects.toMatchObject({ code: 'log.unavailable' })
  const second = gatherFailing({ 2: failure })
  await expect(second.gather.append(topic, many(150, 'a'))).rejects.toMatchObject({
    code: 'append.unknown',
    cause: failure,
  })
})

test('a mistake of the caller throws, and none of the call is sent', async () => {
  const { gather, sent } = gatherFailing()
  const spread = testTopic({ partitions: 1, spread: true })
  const claims = [{ constraint: 'email', field: 'email', action: 'claim' as const, digests: { 1: 'x' } }]
  expect(() => gather.append(spread, [unit(spread, 'a'), unit(spread, 'a', { claims })])).toThrow(TypeError)
  await new Promise(setImmediate)
  expect(sent).toEqual([])
})
