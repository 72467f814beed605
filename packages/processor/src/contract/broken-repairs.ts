import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import type { GroupStore } from '../group-store.ts'
import type { RepairAction, RepairOutcome } from '../repair/repair-action.ts'
import type { SourceOfTruth } from '../repair/source-of-truth.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { all, order, RepairBench } from './repair-bench.ts'

/** How a ruling is hit: the call never arrives, or it takes place and its answer is lost. */
const faults = ['before', 'after'] as const

/** A store whose n-th ruling is hit: from there on the repair is dead. */
function hit(store: GroupStore, at: number, fault: (typeof faults)[number]): GroupStore {
  let left = at
  const rule: GroupStore['rule'] = async (...args) => {
    left -= 1
    if (left < 0 || (left === 0 && fault === 'before')) throw new MillraceError('log.unavailable')
    const result = await store.rule(...args)
    if (left === 0) throw new MillraceError('commit.unknown')
    return result
  }
  return new Proxy(store, { get: (target, name) => (name === 'rule' ? rule : memberOf(target, name)) })
}

function memberOf(store: GroupStore, name: string | symbol): unknown {
  const member: unknown = Reflect.get(store, name)
  return typeof member === 'function' ? (member.bind(store) as unknown) : member
}

async function endOf(steps: AsyncGenerator<RepairOutcome>): Promise<string> {
  try {
    await all(steps)
    return 'done'
  } catch (error) {
    if (error instanceof MillraceError) return error.code
    throw error
  }
}

/** Repairs that break off at each of their steps, and are ordered again. */
export function describeBrokenRepairs(subject: () => GroupStoreUnderTest): void {
  describe('a repair that breaks off at any of its steps', () => {
    const source: SourceOfTruth = {
      fetch: async () => ({ data: { n: 30 }, version: 3 }),
      versionOf: ({ data }) => (data as { v?: number }).v,
    }
    const stories: readonly (readonly [string, number, RepairAction])[] = [
      ['ignoring a key', 3, { do: 'ignore' }],
      ['patching a key', 3, { do: 'edit', patch: { n: 5 } }],
      ['requeueing a head', 1, { do: 'requeue' }],
      ['fetching a head again', 3, { do: 'refetch' }],
    ]
    const events = [
      ['a', { n: 'x', v: 1 }],
      ['a', { n: 2, v: 2 }],
      ['a', { n: 3, v: 3 }],
    ] as const
    const openHeld = async () => {
      const bench = await RepairBench.open(subject(), events, source)
      await bench.hold([1, 2, 3])
      return bench
    }

    test.each(stories)('comes to the same when it is ordered again: %s', async (_, steps, action) => {
      const whole = await openHeld()
      await whole.key(action)
      const expected = await whole.stored()
      expect(expected.entries).toHaveLength(steps)
      for (let step = 1; step <= steps; step += 1)
        for (const fault of faults) {
          const bench = await openHeld()
          const store = hit(bench.group.store, step, fault)
          const broken = new RepairBench(subject(), bench.group, { source, store })
          expect(await endOf(broken.repairer.key(bench.at, 'a', action, order))).toBe(
            fault === 'before' ? 'log.unavailable' : 'commit.unknown',
          )
          expect((await bench.stored()).differences).toEqual([])
          await bench.key(action)
          expect(await bench.stored()).toEqual(expected)
        }
    })

    test('puts each letter of a selection back once', async () => {
      for (const fault of faults)
        for (let step = 1; step <= 3; step += 1) {
          const bench = await RepairBench.withLetters(subject(), 9)
          const store = hit(bench.group.store, step, fault)
          const broken = new RepairBench(subject(), bench.group, { store })
          const requeue = ({ repairer }: RepairBench) =>
            endOf(repairer.selection(bench.at, { reasonClass: 'f1' }, { do: 'requeue' }, order, { page: 1 }))
          expect(await requeue(broken)).not.toBe('done')
          expect(await requeue(bench)).toBe('done')
          const { entries, late, differences } = await bench.stored()
          expect({ count: entries.length, late, differences }).toEqual({
            count: 3,
            late: [3, 6, 9],
            differences: [],
          })
        }
    })
  })
}
