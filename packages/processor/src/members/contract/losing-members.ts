import { randomOf, testSeed } from '@millrace/log/contract'
import { describe, expect, test } from 'vitest'
import { Latch } from '../../contract/stage.ts'
import { type MembersUnderTest, newsOf, type Player, Troupe } from './troupe.ts'

/** For tests in which nobody may be late by accident, however slow the machine is. */
const patient = { leaseMs: 2_500 }

/** Members that die, sleep, hang, or cannot reach the list: what docs/state-machines.md says of each. */
export function describeLosingMembers(subject: () => MembersUnderTest): void {
  async function together(play: (troupe: Troupe) => Promise<void>, partitions = 6): Promise<void> {
    const troupe = new Troupe(subject(), partitions)
    try {
      await play(troupe)
    } finally {
      await troupe.end()
    }
  }

  const dies = ({ store, list }: Player) => {
    store.cut()
    list.cut()
  }
  const sleeps = ({ store, list }: Player) => {
    store.pause()
    list.pause()
  }
  const wakes = ({ store, list }: Player) => {
    list.resume()
    store.resume()
  }

  describe('losing members', () => {
    test('what a dead member had is taken over, and what the others had does not move', () =>
      together(async (troupe) => {
        const join = () => troupe.join(undefined, patient)
        const [first, second, third] = [await join(), await join(), await join()]
        await troupe.shared(first, second, third)
        const before = newsOf('ended', second, third).length
        dies(first)
        await troupe.shared(second, third)
        expect(newsOf('ended', second, third)).toHaveLength(before)
        expect(newsOf('member-silent', second)).toMatchObject([{ who: newsOf('assigned', first)[0]?.member }])
        await troupe.append(30)
        await troupe.stage.until(() => troupe.completed === 30)
      }))

    test('a member that sleeps past its lease comes back: its commit is refused, and it gets a share again', () =>
      together(async (troupe) => {
        const { stage } = troupe
        const latch = new Latch()
        const sleeper = await troupe.join(() => latch.pass(() => stage.changed()), { commitEvery: 1 })
        await troupe.shared(sleeper)
        await stage.append('a')
        await stage.until(() => latch.waiting === 1)
        sleeps(sleeper)
        // Its commit is on the way when it falls asleep.
        latch.open()
        await stage.until(() => sleeper.done.length === 1)
        const other = await troupe.join()
        await stage.until(() => troupe.owned(other).length === 6)
        await stage.until(() => other.store.commits.length > 0)
        wakes(sleeper)
        await troupe.shared(sleeper, other)
        expect(sleeper.store.commits.map(({ result }) => result)).toContain('fenced')
        expect(newsOf('ended', sleeper).filter(({ reason }) => reason === 'lost').length).toBeGreaterThan(0)
      }))

    test('a member whose handler hangs declines that partition: another one works on it, the rest stays', () =>
      together(async (troupe) => {
        const { stage } = troupe
        const latch = new Latch()
        const hanging = await troupe.join(
          ({ event }) => {
            if (event.subject === 'a') return latch.pass(() => stage.changed())
            return undefined
          },
          { stalledMs: 300, stopMs: 50 },
        )
        await troupe.shared(hanging)
        await stage.append('a')
        await stage.until(() => latch.waiting === 1)
        const other = await troupe.join(undefined, { stalledMs: 60_000 })
        await stage.until(() => other.done.length === 1)
        await stage.until(() => troupe.owned(hanging).length >= 2)
        await stage.until(() => hanging.running.health().members?.state === 'live')
        expect(hanging.done).toEqual([])
        latch.open()
      }))

    test.each(['cut', 'pause'] as const)(
      'without the list (%s) a member keeps what it has and says so; with it again all is well',
      (how) =>
        together(async (troupe) => {
          const { stage } = troupe
          const [first, second] = [
            await troupe.join(undefined, patient),
            await troupe.join(undefined, patient),
          ]
          await troupe.shared(first, second)
          const before = newsOf('ended', first, second).length
          first.list[how]()
          second.list[how]()
          // Both of them: whoever is back first is to find the other one silent.
          await stage.until(() =>
            [first, second].every(({ running }) => running.health().members?.state === 'silent'),
          )
          const { state, message } = first.running.health()
          expect(state).toBe('degraded')
          expect(message).toContain('silent in the list of members')
          await troupe.append(40)
          await stage.until(() => troupe.completed === 40)
          first.list.resume()
          second.list.resume()
          await stage.until(() =>
            [first, second].every(({ running }) => running.health().members?.state === 'live'),
          )
          // Both were late, and neither believed in the silence of the other.
          await stage.until(() => newsOf('member-live', first, second).length >= 5)
          expect(newsOf('ended', first, second)).toHaveLength(before)
          expect(newsOf('assigned', first, second).every(({ revision }) => revision <= 3)).toBe(true)
        }),
    )

    test('without Redis nothing new is handled after the local deadline, and it goes on by itself', () =>
      together(async (troupe) => {
        const { stage } = troupe
        const latch = new Latch()
        const leaseMs = 900
        const only = await troupe.join(() => latch.pass(() => stage.changed()), { atOnce: 1, leaseMs })
        await troupe.shared(only)
        sleeps(only)
        const asleepMs = performance.now()
        await stage.until(() => only.running.health().members?.state === 'silent')
        // It may have asked for a lease later than it was heard of in the list.
        await stage.until(() => performance.now() - asleepMs > leaseMs)
        await stage.append('a', 'b')
        await stage.until(() => only.running.health().partitions.some(({ inHand = 0 }) => inHand > 0))
        expect(latch.waiting).toBe(0)
        wakes(only)
        latch.open()
        await stage.until(() => troupe.completed === 2)
      }))

    const seed = testSeed()
    test(`coming, going, dying and sleeping at random, members lose nothing and hold the order of each key (seed ${seed})`, () =>
      together(async (troupe) => {
        await expect(chaos(troupe, randomOf(seed)), `seed ${seed}`).resolves.toEqual([])
      }))
  })

  async function chaos(troupe: Troupe, random: () => number): Promise<readonly string[]> {
    const join = () => troupe.join(undefined, { leaseMs: 500, commitEvery: 4, window: 60 })
    const asleep: Player[] = []
    const live = [await join(), await join()]
    for (let act = 0; act < 12; act++) {
      await troupe.append(5 + Math.floor(random() * 30))
      const fate = random()
      if (fate < 0.35 || live.length === 1) live.push(await join())
      else {
        const [victim] = live.splice(Math.floor(random() * live.length), 1)
        if (victim && fate < 0.5) dies(victim)
        else if (victim && fate < 0.75) {
          sleeps(victim)
          asleep.push(victim)
        } else void victim?.running.stop()
      }
      if (random() < 0.4)
        for (const one of asleep.splice(0)) {
          wakes(one)
          live.push(one)
        }
      const target = Math.floor(troupe.appended * random())
      await troupe.stage.until(() => troupe.completed >= target)
    }
    await troupe.stage.until(() => troupe.completed >= troupe.appended)
    await troupe.shared(...live)
    return troupe.disordered()
  }
}
