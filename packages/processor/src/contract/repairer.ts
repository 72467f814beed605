import { type Event, MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import type { RepairOutcome } from '../repair/repair-action.ts'
import type { SourceOfTruth } from '../repair/source-of-truth.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { letter } from './parts.ts'
import { all, order, RepairBench } from './repair-bench.ts'

/** Repairs as people order them: of an event, a key, a selection. */
export function describeRepairer(subject: () => GroupStoreUnderTest): void {
  describeKeys(subject)
  describeSelections(subject)
  describeSources(subject)
}

const line = [
  ['a', { n: 'one' }],
  ['b', {}],
  ['a', { n: 'two', kept: true }],
  ['a', { n: 'three' }],
] as const

function describeKeys(subject: () => GroupStoreUnderTest): void {
  describe('the repair of a parked key', () => {
    test('corrects its head: the data fit the schema, and the log keeps the original', async () => {
      const bench = await RepairBench.open(subject(), line)
      await bench.hold([1, 3, 4])
      expect(await bench.key({ do: 'edit', data: { n: 'still no number' } })).toMatchObject([
        { partition: 0, seq: 1, status: 'invalid', code: 'event.invalid' },
      ])
      expect(await bench.rulings()).toEqual([])
      expect(await bench.key({ do: 'edit', data: { n: 1, more: true } })).toEqual([
        { partition: 0, seq: 1, key: 'a', status: 'ruled', on: 'head' },
      ])
      expect(await bench.rulings()).toEqual([{ seq: 1, kind: 'corrected', data: { n: 1 } }])
      const { events } = await subject().log.readKey(bench.strict, 'a')
      expect(events[0]?.event.data).toEqual({ n: 'one' })
    })

    test.each([{ do: 'ignore' }, { do: 'edit', patch: { n: 7, kept: null } }] as const)(
      'can be of the whole key, its line first and its head last: $do',
      async (action) => {
        const bench = await RepairBench.open(subject(), line)
        await bench.hold([1, 3, 4])
        const outcomes = await bench.key(action)
        expect(outcomes.map(({ seq, status, on }) => [seq, status, on])).toEqual([
          [3, 'ruled', 'line'],
          [4, 'ruled', 'line'],
          [1, 'ruled', 'head'],
        ])
        const data = action.do === 'edit' ? { n: 7 } : undefined
        expect((await bench.rulings()).map((ruling) => ruling.data)).toEqual([data, data, data])
        const before = await bench.stored()
        expect((await bench.key(action)).map(({ status }) => status)).toEqual([
          'already',
          'already',
          'already',
        ])
        expect(await bench.stored()).toEqual(before)
      },
    )

    test('is of its dead letters when it is not parked any more', async () => {
      const bench = await RepairBench.open(subject(), line)
      await bench.group.commit(4, { dead: [letter(1, bench.group.positions[0]?.id, 'a')] })
      const overtaken = { count: 2, first: 3, last: 4 }
      expect(await bench.key({ do: 'requeue' })).toMatchObject([{ seq: 1, status: 'overtaken', overtaken }])
      const forced = bench.repairer.key(bench.at, 'a', { do: 'requeue' }, { ...order, force: true })
      expect(await all(forced)).toMatchObject([{ status: 'ruled', on: 'dead', overtaken }])
    })
  })
}

function describeSelections(subject: () => GroupStoreUnderTest): void {
  describe('the repair of a selection', () => {
    const of = (bench: RepairBench, parts: { dryRun?: boolean; signal?: AbortSignal } = {}) => {
      const { signal, ...said } = parts
      const bounds = { page: 2, ...(signal ? { signal } : {}) }
      const filter = { reasonClass: 'f1' }
      return bench.repairer.selection(bench.at, filter, { do: 'requeue' }, { ...order, ...said }, bounds)
    }

    test('goes page by page; a dry run says the same and does nothing', async () => {
      const bench = await RepairBench.withLetters(subject(), 15)
      const before = await bench.stored()
      const dry = await all(of(bench, { dryRun: true }))
      expect(await bench.stored()).toEqual(before)
      expect(await all(of(bench))).toEqual(dry)
      expect(dry.map(({ seq, status }) => [seq, status])).toEqual(
        [3, 6, 9, 12, 15].map((seq) => [seq, 'ruled']),
      )
      expect(await bench.stored()).toMatchObject({ late: [3, 6, 9, 12, 15], differences: [] })
      expect(await all(of(bench))).toEqual([])
    })

    test('that was stopped goes on with what is left', async () => {
      const bench = await RepairBench.withLetters(subject(), 15)
      const stop = new AbortController()
      const first: RepairOutcome[] = []
      for await (const outcome of of(bench, { signal: stop.signal })) {
        first.push(outcome)
        if (first.length === 3) stop.abort()
      }
      const rest = await all(of(bench))
      expect(first.length).toBeLessThan(5)
      expect([...first, ...rest].map(({ seq }) => seq)).toEqual([3, 6, 9, 12, 15])
    })
  })
}

function describeSources(subject: () => GroupStoreUnderTest): void {
  describe('the present state of a source', () => {
    const versionOf = ({ data }: Event) => (data as { v?: number }).v
    const versions = [
      ['a', { n: 'x', v: 1 }],
      ['a', { n: 2, v: 2 }],
      ['a', { n: 3, v: 3 }],
      ['a', { n: 4, v: 4 }],
    ] as const

    test('takes the place of the head, and older events in line are superseded', async () => {
      const source: SourceOfTruth = { fetch: async () => ({ data: { n: 30 }, version: 3 }), versionOf }
      const bench = await RepairBench.open(subject(), versions, source)
      await bench.hold([1, 2, 3, 4])
      expect(await bench.key({ do: 'refetch' })).toEqual([
        { partition: 0, seq: 1, key: 'a', status: 'ruled', on: 'head', superseded: 2 },
      ])
      expect(await bench.rulings()).toEqual([
        { seq: 1, kind: 'corrected', data: { n: 30 } },
        { seq: 2, kind: 'ignored', data: undefined },
        { seq: 3, kind: 'ignored', data: undefined },
      ])
    })

    test.each<[string, SourceOfTruth | undefined, Partial<RepairOutcome>]>([
      ['there is none', undefined, { status: 'failed', code: 'source.missing' }],
      [
        'it does not know the entity',
        { fetch: async () => undefined },
        { status: 'failed', code: 'source.failed' },
      ],
      [
        'it tells nonsense',
        { fetch: async () => ({ data: 'n' }) },
        { status: 'invalid', code: 'event.invalid' },
      ],
      [
        'it cannot be reached',
        { fetch: () => Promise.reject(new MillraceError('source.failed')) },
        { status: 'failed', code: 'source.failed' },
      ],
    ])('changes nothing when %s', async (_, source, outcome) => {
      const bench = await RepairBench.open(subject(), versions, source)
      await bench.hold([1, 2, 3, 4])
      expect(await bench.key({ do: 'refetch' })).toMatchObject([outcome])
      expect(await bench.rulings()).toEqual([])
    })
  })
}
