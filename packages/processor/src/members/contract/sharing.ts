import { describe, expect, test } from 'vitest'
import { Latch } from '../../contract/stage.ts'
import { type MembersUnderTest, newsOf, Troupe } from './troupe.ts'

/** Longer than any of these tests may take: whatever moves meanwhile was handed over, and no lease has lapsed. */
const longLease = { leaseMs: 120_000 }

/** Joining, leaving, handing over. */
export function describeSharing(subject: () => MembersUnderTest): void {
  async function together(play: (troupe: Troupe) => Promise<void>, partitions = 8): Promise<void> {
    const troupe = new Troupe(subject(), partitions)
    try {
      await play(troupe)
    } finally {
      await troupe.end()
    }
  }

  describe('sharing', () => {
    test('members share the partitions evenly; who comes takes its share and nothing else moves', () =>
      together(async (troupe) => {
        const first = await troupe.join(undefined, longLease)
        await troupe.shared(first)
        const second = await troupe.join(undefined, longLease)
        await troupe.shared(first, second)
        const stayed = new Set([...troupe.owned(first), ...troupe.owned(second)])
        const before = newsOf('ended', first, second).length
        const third = await troupe.join(undefined, longLease)
        await troupe.shared(first, second, third)
        const ended = newsOf('ended', first, second).slice(before)
        expect(ended.map(({ reason }) => reason)).toEqual(['moved', 'moved'])
        expect(new Set(ended.map(({ partition }) => partition))).toEqual(new Set(troupe.owned(third)))
        expect(stayed.size).toBe(8)
        expect(newsOf('handed-over', first, second).every(({ released }) => released)).toBe(true)
      }))

    test('everything is handled once and in order while members come and go', () =>
      together(async (troupe) => {
        const first = await troupe.join(undefined, longLease)
        await troupe.append(60)
        const second = await troupe.join(undefined, longLease)
        await troupe.append(60)
        await troupe.shared(first, second)
        await troupe.append(60)
        const leaving = first.running.stop()
        await troupe.append(60)
        const third = await troupe.join(undefined, longLease)
        await leaving
        await troupe.shared(second, third)
        await troupe.append(60)
        await troupe.stage.until(() => troupe.completed === 300)
        expect(troupe.handled).toHaveLength(300)
        expect(troupe.disordered()).toEqual([])
      }))

    test('who stops leaves its partitions to the others at once, not when a lease has lapsed', () =>
      together(async (troupe) => {
        const first = await troupe.join(undefined, longLease)
        const second = await troupe.join(undefined, longLease)
        await troupe.shared(first, second)
        await first.running.stop()
        await troupe.shared(second)
        expect(newsOf('member-left', second)).toHaveLength(1)
        expect(second.running.health().members?.all).toHaveLength(1)
      }))

    test('a hand-over waits for the handlers that run and for their commit, and for nothing else', () =>
      together(async (troupe) => {
        const { stage } = troupe
        const latch = new Latch()
        const first = await troupe.join(({ event }) => {
          if (event.subject === 'slow') return latch.pass(() => stage.changed())
          return undefined
        }, longLease)
        await stage.append('slow', 'slow', 'slow')
        await stage.until(() => latch.waiting === 1)
        const second = await troupe.join(undefined, longLease)
        // All that moves has moved, but the one partition whose handler runs, if it is to move.
        await stage.until(() => newsOf('leased', second).length >= 3)
        const slow = first.running.health().partitions.find(({ inHand = 0 }) => inHand > 0)
        expect(slow?.owned).toBe(true)
        latch.open()
        await troupe.shared(first, second)
        await stage.until(() => troupe.completed === 3)
        expect(troupe.handled.map(({ seq }) => seq)).toEqual([1, 2, 3])
      }))

    test('a handler that does not end is aborted after its time, and the partition moves', () =>
      together(async (troupe) => {
        const { stage } = troupe
        let aborted = 0
        let waiting = 0
        const first = await troupe.join(
          (_, { signal }) =>
            new Promise((_resolve, reject) => {
              waiting += 1
              stage.changed()
              signal.addEventListener('abort', () => {
                aborted += 1
                reject(new Error('given up'))
              })
            }),
          { ...longLease, stopMs: 20 },
        )
        await troupe.append(16)
        await stage.until(() => waiting === 16)
        const second = await troupe.join(undefined, longLease)
        await troupe.shared(first, second)
        expect(aborted).toBeGreaterThan(0)
        await stage.until(() => second.done.length > 0)
      }))

    test('more members than partitions: the others stand by', () =>
      together(async (troupe) => {
        const players = await Promise.all(Array.from({ length: 3 }, () => troupe.join(undefined, longLease)))
        await troupe.shared(...players)
        expect(players.map((player) => troupe.owned(player).length).toSorted((a, b) => a - b)).toEqual([
          0, 1, 1,
        ])
        const [one] = players.filter((player) => troupe.owned(player).length === 1)
        await one?.running.stop()
        await troupe.shared(...players.filter((player) => player !== one))
      }, 2))

    test('the health of each member shows the whole group', () =>
      together(async (troupe) => {
        const first = await troupe.join(undefined, { ...longLease, member: 'ann' })
        const second = await troupe.join(undefined, { ...longLease, member: 'bob' })
        await troupe.shared(first, second)
        const { state, message, members } = first.running.health()
        expect(state).toBe('ok')
        expect(message).toContain('owns 2 of 4')
        expect(members?.state).toBe('live')
        expect(members?.member).toMatch(/^ann-/)
        expect(members?.all.map(({ member }) => member.slice(0, 3))).toEqual(['ann', 'bob'])
        expect(members?.all.flatMap(({ partitions }) => partitions).toSorted()).toEqual([0, 1, 2, 3])
        expect(members?.all.every((one) => one.state === 'live')).toBe(true)
      }, 4))
  })
}
