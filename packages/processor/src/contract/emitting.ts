import { describe, expect, test } from 'vitest'
import type { OutboxEntry } from '../outbox.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { LeasedGroup } from './group-fixture.ts'
import { emitted } from './parts.ts'

/** The outbox: entries numbered by channel, removed when they are forwarded. */
export function describeEmitting(subject: () => GroupStoreUnderTest): void {
  describe('outbox', () => {
    test('entries are numbered by channel without gaps, whoever commits', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b', 'c')
      const next = new Map<number, number>()
      for (const seq of [1, 2, 3]) {
        const outbox = emitted(['a', 'b', 'c', 'd', 'e', 'f'])
        const numbers = outbox.map(({ partition, events }) => {
          const first = next.get(partition) ?? 1
          next.set(partition, first + events.length)
          return first
        })
        expect(await group.commit(seq, { outbox })).toEqual({ status: 'committed', numbers })
        await group.take()
      }
      const { items } = await group.store.outbox(group.at)
      expect(items.map(({ id }) => id)).toEqual(['1-1', '1-2', '2-1', '2-2', '3-1', '3-2'])
    })

    test('are read as they were committed, page by page', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b')
      const drafts = [emitted(['a', 'b', 'c', 'd']), emitted(['a', 'b', 'c', 'd'])]
      await group.commit(1, { outbox: drafts[0] ?? [] })
      await group.commit(2, { outbox: drafts[1] ?? [] })
      const read: OutboxEntry[] = []
      let after: string | undefined
      do {
        const page = await group.store.outbox(group.at, {
          limit: 3,
          ...(after === undefined ? {} : { after }),
        })
        read.push(...page.items)
        after = page.next
      } while (after !== undefined)
      expect(read.map(({ topic, partition, events, size }) => ({ topic, partition, events, size }))).toEqual(
        drafts
          .flat()
          .map(({ topic, partition, events, text }) => ({ topic, partition, events, size: text.length })),
      )
    })

    test('what was forwarded is gone, and may be said again without a token', async () => {
      const group = await LeasedGroup.open(subject(), 'a')
      await group.commit(1, { outbox: emitted(['a', 'b', 'c', 'd']) })
      expect(await group.store.forwarded(group.at, [])).toBe(0)
      expect(await group.store.forwarded(group.at, ['1-1', '9-9'])).toBe(1)
      expect(await group.store.forwarded(group.at, ['1-1', '1-2'])).toBe(1)
      expect((await group.store.outbox(group.at)).items).toEqual([])
      expect(await group.store.audit(group.at)).toMatchObject({
        counters: { outbox: { written: 2, forwarded: 2 } },
        differences: [],
      })
    })
  })
}
