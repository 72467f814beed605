import { describe, expect, test } from 'vitest'
import type { DeadFilter } from '../dead-item.ts'
import type { RuleRequest } from '../repairs.ts'
import { type GroupStoreUnderTest, LeasedGroup } from './group-fixture.ts'
import { describeLateRuns } from './late-runs.ts'
import { held, letter, park } from './parts.ts'
import { type Open, rule, said } from './ruled-group.ts'

/** What operators decide about events, and the list of those that need one. */
export function describeRepairing(subject: () => GroupStoreUnderTest): void {
  const open: Open = (...keys) => LeasedGroup.open(subject(), ...keys)
  describeRulings(open)
  describeLateRuns(open)
  describeDeadList(open)
}

function describeRulings(open: Open): void {
  describe('rulings', () => {
    test('on a head are kept, noted, and make the key due', async () => {
      const group = await open('a', 'a')
      const { store, at } = group
      await group.commit(2, { parks: [held('a', 1, 2, 1)] })
      expect(await rule(group, { kind: 'corrected', data: { n: 'Zoë "' } })).toEqual({
        status: 'ruled',
        on: 'head',
      })
      expect((await store.rulings(at, [1, 2])).get(1)).toMatchObject({
        kind: 'corrected',
        of: 'parked',
        by: 'ada',
        reason: said.reason,
        id: 'r1',
        data: { n: 'Zoë "' },
      })
      expect(await store.dueKeys(at, Number.MAX_SAFE_INTEGER)).toMatchObject([{ key: 'a' }])
      expect((await store.repairEntries(at)).items).toMatchObject([
        { id: 'r1', seq: 1, key: 'a', kind: 'corrected', on: 'head', by: 'ada', reason: said.reason },
      ])
      expect((await store.audit(at)).differences).toEqual([])
    })

    test('on an event in line are kept, and leave the head alone', async () => {
      const group = await open('a', 'b', 'a', 'a')
      await group.commit(4, { parks: [held('a', 1, 4, 2)] })
      expect(await rule(group, { seq: 3 })).toEqual({ status: 'ruled', on: 'line' })
      expect(await rule(group, { seq: 3, id: 'r2' })).toEqual({ status: 'already' })
      expect(await group.store.dueKeys(group.at, Number.MAX_SAFE_INTEGER)).toEqual([])
    })

    test('repeated do nothing: by the same request, or by another one before they are carried out', async () => {
      const group = await open('a')
      const { store, at } = group
      await group.commit(1, { parks: [held('a', 1)] })
      await rule(group)
      expect(await rule(group)).toEqual({ status: 'already' })
      expect(await rule(group, { id: 'r2', by: 'bob' })).toEqual({ status: 'already' })
      expect((await store.repairEntries(at)).items).toHaveLength(1)
      await group.commit(1, { done: 1, unparks: [{ key: 'a', last: 1 }] })
      expect(await rule(group)).toEqual({ status: 'already' })
      expect(await rule(group, { id: 'r3' })).toEqual({ status: 'already' })
      expect(await rule(group, { id: 'r3', kind: 'requeued' })).toEqual({ status: 'gone' })
    })

    test('can be changed before they are carried out, and made again after an attempt has failed', async () => {
      const group = await open('a')
      await group.commit(1, { parks: [held('a', 1)] })
      const correct = (id: string, n: number) => rule(group, { id, kind: 'corrected', data: { n } })
      await correct('r1', 1)
      expect(await correct('r2', 2)).toMatchObject({ status: 'ruled' })
      expect(await correct('r3', 2)).toEqual({ status: 'already' })
      await group.commit(1, { parks: [{ ...held('a', 1), tried: true }] })
      expect(await correct('r4', 2)).toMatchObject({ status: 'ruled' })
      const entries = (await group.store.repairEntries(group.at)).items
      expect(entries.map(({ id }) => id)).toEqual(['r4', 'r2', 'r1'])
    })

    test('that come while an attempt is under way are not answered by it', async () => {
      const group = await open('a')
      const { store, at } = group
      await group.commit(1, { parks: [park('a', 1)] })
      await store.markDue(at, 'a', 1, 'clock', 5)
      const [seen] = await store.dueKeys(at, 10)
      await rule(group)
      await group.commit(1, { parks: [{ ...park('a', 1), tried: true, markMs: seen?.atMs ?? 0 }] })
      expect(await store.dueKeys(at, Number.MAX_SAFE_INTEGER)).toHaveLength(1)
    })

    test('that come while their event is handled without them are dropped by the commit', async () => {
      const group = await open('a', 'a', 'a', 'b')
      const { store, at } = group
      await group.commit(4, { parks: [held('a', 1, 3, 2)] })
      for (const seq of [2, 3, 1]) await rule(group, { seq, id: `r${seq}` })
      const heeded = [
        { seq: 1, id: undefined },
        { seq: 2, id: 'r2' },
        { seq: 3, id: 'r1' },
      ]
      await group.commit(4, { unparks: [{ key: 'a', last: 3 }], heeded })
      expect([...(await store.rulings(at, [1, 2, 3])).keys()]).toEqual([2])
      expect((await store.repairEntries(at)).items).toHaveLength(3)
    })

    test('that take the place of one that is being followed do not outlive it', async () => {
      const group = await open('a', 'a')
      const { store, at } = group
      await group.commit(2, { parks: [held('a', 1)] })
      await rule(group, { id: 'r1', kind: 'ignored' })
      const ruling = (await store.rulings(at, [1])).get(1)
      await rule(group, { id: 'r2', kind: 'requeued' })
      const heeded = [{ seq: 1, id: 'r1', ...(ruling ? { ruling } : {}) }]
      await group.commit(2, { unparks: [{ key: 'a', last: 1 }], heeded })
      // What a replay, and whoever asks for a state, is to know: it was ignored.
      expect((await store.rulings(at, [1])).get(1)).toEqual(ruling)
    })

    test('are refused for another head than the operator saw, and for what is settled', async () => {
      const group = await open('a', 'a', 'b')
      await group.commit(3, { parks: [held('a', 2)] })
      expect(await rule(group, { seq: 2, parkNo: 9 })).toEqual({ status: 'changed', parkNo: 1 })
      expect(await rule(group, { seq: 1 })).toEqual({ status: 'gone' })
      expect(await rule(group, { seq: 3, key: 'b' })).toEqual({ status: 'gone' })
      expect(await rule(group, { seq: 99 })).toEqual({ status: 'gone' })
      expect((await group.store.repairEntries(group.at)).items).toEqual([])
    })

    test.each<[string, Partial<RuleRequest>]>([
      ['by nobody', { by: '' }],
      ['without a reason', { reason: '' }],
      ['with data that it does not correct by', { data: {} }],
      ['that corrects without data', { kind: 'corrected' }],
      ['on no event', { seq: 0 }],
    ])('a ruling %s is a mistake in code', async (_, parts) => {
      const group = await open('a')
      await expect((async () => rule(group, parts))()).rejects.toThrow(TypeError)
    })
  })
}

function describeDeadList(open: Open): void {
  describe('the list of what needs an operator', () => {
    async function many(): Promise<LeasedGroup> {
      const group = await open(...Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? 'a' : `k${at}`)))
      const dead = [2, 4, 6, 8].map((seq) => ({
        ...letter(seq, `1-${seq}`, `k${seq - 1}`),
        fingerprint: seq < 5 ? 'f1' : 'f2',
        type: seq === 8 ? 'Other' : 'Happened',
        atMs: 100 - seq,
      }))
      await group.commit(12, { dead, parks: [held('a', 1, 11, 5), park('k11', 12)] })
      return group
    }

    const found = async ({ store, at }: LeasedGroup, filter: DeadFilter = {}, limit = 100) => {
      const seqs: number[] = []
      let after: string | undefined
      do {
        const page = await store.deadItems(at, { filter, limit, ...(after === undefined ? {} : { after }) })
        expect(page.items.length).toBeLessThanOrEqual(limit)
        seqs.push(...page.items.map(({ seq }) => seq))
        after = page.next
      } while (after !== undefined)
      return seqs
    }

    test('has dead letters and held keys, those that were given up first before others', async () => {
      const group = await many()
      expect(await found(group)).toEqual([8, 6, 4, 2, 1])
      expect(await found(group, {}, 2)).toEqual([8, 6, 4, 2, 1])
      const { items } = await group.store.deadItems(group.at, { filter: { status: 'held' } })
      expect(items).toMatchObject([
        { status: 'held', key: 'a', reasonClass: 'f', parked: { lined: 5, no: 1 } },
      ])
    })

    test.each<[string, DeadFilter, readonly number[]]>([
      ['class', { reasonClass: 'f1' }, [4, 2]],
      ['type', { type: 'Other' }, [8]],
      ['key', { key: 'k3' }, [4]],
      ['status', { status: 'dead' }, [8, 6, 4, 2]],
      ['age', { fromMs: 94, untilMs: 96 }, [6, 4]],
      ['class and age', { reasonClass: 'f1', untilMs: 96 }, [4]],
      ['class and type', { reasonClass: 'f2', type: 'Happened' }, [6]],
      ['what none has', { reasonClass: 'f1', type: 'Other' }, []],
    ])('can be asked by %s', async (_, filter, seqs) => {
      const group = await many()
      expect(await found(group, filter)).toEqual(seqs)
      expect(await found(group, filter, 1)).toEqual(seqs)
    })

    test('is counted by class and type', async () => {
      const { store, at } = await many()
      expect(await store.deadCounts(at)).toEqual({
        dead: 4,
        held: 1,
        late: 0,
        oldestMs: 92,
        classes: [
          { name: 'f', count: 1 },
          { name: 'f1', count: 2 },
          { name: 'f2', count: 2 },
        ],
        types: [
          { name: 'Happened', count: 4 },
          { name: 'Other', count: 1 },
        ],
      })
    })
  })
}
