import { MillraceError, partitionOfKey } from '@millrace/event'
import type { AppendResult, Prepared } from '@millrace/log'
import { happened, testTopic, unit } from '@millrace/log/contract'
import { describe, expect, test } from 'vitest'
import type { PartitionUnits } from './append.ts'
import { Gather } from './gather.ts'

const topic = testTopic({ partitions: 1 })
const keysOf = (units: readonly Prepared[]) => units.map((one) => one.key)
const taken = (units: readonly Prepared[]): readonly AppendResult[] =>
  units.map((_, at) => ({ status: 'appended', positions: [], version: at + 1 }))
const many = (count: number, key: string) => Array.from({ length: count }, () => unit(topic, key))

/** A gather that notes what it sends, and fails the calls that it is told to. */
function gatherFailing(failures: Readonly<Record<number, MillraceError>> = {}) {
  const sent: (readonly string[])[] = []
  const gather = new Gather(async (_topic, parts) => {
    const call = sent.push(parts.flatMap(({ units }) => keysOf(units)))
    const failure = failures[call]
    if (failure) throw failure
    return parts.map(({ units }) => taken(units))
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
  const gather = new Gather(async (_topic, parts) => {
    sizes.push(parts.flatMap(({ units }) => units).length)
    most = Math.max(most, ++under)
    await new Promise(setImmediate)
    under--
    return parts.map(({ units }) => taken(units))
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

describe('while a call is under way', () => {
  /** A gather whose calls are answered by hand. */
  function heldGather() {
    const sent: (readonly string[])[] = []
    const answers: (() => void)[] = []
    const gather = new Gather(async (_topic, parts) => {
      sent.push(parts.flatMap(({ units }) => keysOf(units)))
      await new Promise<void>((resolve) => answers.push(resolve))
      return parts.map(({ units }) => taken(units))
    })
    const turn = () => new Promise(setImmediate)
    return { gather, sent, answer: () => answers.shift()?.(), turn }
  }

  test('the rest waits and goes together, as soon as that is answered', async () => {
    const { gather, sent, answer, turn } = heldGather()
    const all = [gather.append(topic, many(1, 'a'))]
    await turn()
    for (const key of ['b', 'c', 'd']) {
      all.push(gather.append(topic, many(1, key)))
      await turn()
    }
    expect(sent).toEqual([['a']])
    answer()
    await all[0]
    expect(sent).toEqual([['a'], ['b', 'c', 'd']])
    answer()
    expect((await Promise.all(all)).flat().map(({ status }) => status)).toEqual(Array(4).fill('appended'))
    expect(sent).toHaveLength(2)
  })

  test('what fills a call does not wait', async () => {
    const { gather, sent, answer, turn } = heldGather()
    const first = gather.append(topic, many(1, 'a'))
    await turn()
    const full = gather.append(topic, many(100, 'b'))
    await turn()
    expect(sent.map(({ length }) => length)).toEqual([1, 100])
    answer()
    answer()
    await Promise.all([first, full])
  })
})

describe('several partitions', () => {
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const calls = (flushed: (readonly PartitionUnits[])[]) =>
    flushed.map((parts) => parts.map(({ partition, units }) => `${partition}: ${keysOf(units).join(' ')}`))

  test('of a topic in one slot go in one call, each in its part; else each has its own', async () => {
    for (const spread of [false, true]) {
      const wide = testTopic({ partitions: 4, spread })
      const flushed: (readonly PartitionUnits[])[] = []
      const gather = new Gather(async (_topic, parts) => {
        flushed.push(parts)
        return parts.map(({ units }) => taken(units))
      })
      await Promise.all(keys.map((key) => gather.append(wide, [unit(wide, key)])))
      for (const line of calls(flushed).flat())
        for (const key of line.slice(3).split(' ')) expect(partitionOfKey(wide, key)).toBe(Number(line[0]))
      expect(flushed.flat()).toHaveLength(4)
      expect(flushed).toHaveLength(spread ? 4 : 1)
    }
  })

  test('one of which fails, fail alone', async () => {
    const wide = testTopic({ partitions: 4 })
    const broken = new MillraceError('log.corrupt')
    const gather = new Gather(async (_topic, parts) =>
      parts.map(({ partition, units }) => (partition === 0 ? broken : taken(units))),
    )
    const ends = await Promise.allSettled(keys.map((key) => gather.append(wide, [unit(wide, key)])))
    const failed = keys.filter((_key, at) => ends[at]?.status === 'rejected')
    expect(failed).toEqual(keys.filter((key) => partitionOfKey(wide, key) === 0))
    expect(failed.length).toBeGreaterThan(0)
  })
})
