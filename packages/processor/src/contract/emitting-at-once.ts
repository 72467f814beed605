import type { Topic } from '@millrace/event'
import { beginning } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import { describe, expect, test } from 'vitest'
import type { OutboxDraft } from '../outbox.ts'
import { type GroupStoreUnderTest, LeasedGroup } from './group-fixture.ts'
import { emitted } from './parts.ts'

/** Emitted events that the commit itself brings to their topic. */
export function describeEmittingAtOnce(subject: () => GroupStoreUnderTest): void {
  describe('emitting at once', () => {
    test('events are on their topic with the commit, in its order, and never in the outbox', async () => {
      const { group, near, arrived } = await open(subject())
      for (const seq of [1, 2, 3]) {
        const result = await group.commit(seq, { outbox: near(['a', 'b', 'a'], seq * 10) })
        expect(result).toEqual({ status: 'committed', numbers: [0] })
      }
      expect(await arrived()).toEqual([10, 11, 12, 20, 21, 22, 30, 31, 32])
      expect((await group.store.outbox(group.at)).items).toEqual([])
      expect(await group.store.audit(group.at)).toMatchObject({
        counters: { outbox: { written: 0, forwarded: 0 } },
        differences: [],
      })
    })

    test('they are found by their keys, and others append behind them', async () => {
      const { group, target, near, arrived } = await open(subject())
      await group.commit(1, { outbox: near(['a', 'b', 'a']) })
      const { log } = group.subject
      const [event] = emitted(['a'], 4, target).flatMap(({ events }) => events)
      await log.append(target, [{ events: event ? [event] : [], expectedVersion: 2 }])
      expect(await arrived()).toEqual([1, 2, 3, 4])
      const { events } = await log.readKey(target, 'a')
      expect(events.map(({ event: { data } }) => (data as { number: number }).number)).toEqual([1, 3, 4])
    })

    test('a repeated, a fenced and a refused commit bring nothing', async () => {
      const { group, near, arrived } = await open(subject())
      const commit = group.next(1, { outbox: near(['a', 'b']) })
      await group.store.commit(group.at, commit)
      expect(await group.store.commit(group.at, commit)).toEqual({ status: 'already' })
      expect(await group.store.commit(group.at, { ...commit, n: 3 })).toEqual({ status: 'fenced' })
      const wrong = { ...group.next(2, { outbox: near(['c']) }), n: 2, done: 7 }
      await expect(group.store.commit(group.at, wrong)).rejects.toMatchObject({ code: 'commit.refused' })
      expect(await arrived()).toEqual([1, 2])
    })

    test('what is in the outbox goes first: until then, everything behind it goes there too', async () => {
      const { group, target, near, arrived } = await open(subject())
      const { log } = group.subject
      await group.commit(1, { outbox: emitted(['a', 'b'], 1, target) })
      expect(await group.commit(2, { outbox: near(['a'], 3) })).toMatchObject({ numbers: [3] })
      expect(await arrived()).toEqual([])
      const { items } = await group.store.outbox(group.at)
      const channel = `${group.topic.name}.0.readers`
      for (const { events, first } of items)
        await log.appendChannel(target, { partition: 0, channel, incarnation: 1, first, events })
      expect(await group.commit(3, { outbox: near(['a'], 4) })).toMatchObject({ numbers: [0] })
      expect(await arrived()).toEqual([1, 2, 3, 4])
    })

    test('of a commit with both, what comes behind an entry of the outbox goes there', async () => {
      const { group, target, near, arrived } = await open(subject())
      const outbox = [...near(['a']), ...emitted(['a'], 2, target), ...near(['a'], 3)]
      expect(await group.commit(1, { outbox })).toMatchObject({ numbers: [1, 2, 3] })
      expect(await arrived()).toEqual([])
    })

    test('a topic may be its own target', async () => {
      const { group } = await open(subject())
      const { topic } = group
      const outbox = emitted(['a', 'b'], 1, topic).map((one) => ({ ...one, target: topic }))
      expect(await group.commit(1, { outbox })).toMatchObject({ numbers: [0] })
      expect((await group.subject.log.tips(topic))[0]?.seq).toBe(5)
      expect(await group.store.audit(group.at)).toMatchObject({ counters: { tip: 5 }, differences: [] })
    })
  })
}

async function open(subject: GroupStoreUnderTest) {
  const group = await LeasedGroup.open(subject, 'a', 'b', 'c')
  const target: Topic = testTopic({ partitions: 1 })
  return {
    group,
    target,
    /** Drafts that say that their topic takes channels. */
    near: (keys: readonly string[], from = 1): readonly OutboxDraft[] =>
      emitted(keys, from, target).map((one) => ({ ...one, target })),
    /** The numbers of the target's events. */
    arrived: async () => {
      const read = await subject.log.read(target, new Map([[0, beginning]]))
      return (read.get(0) ?? []).map(({ event: { data } }) => (data as { number: number }).number)
    },
  }
}
