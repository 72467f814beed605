import { randomOf, testSeed } from '@millrace/log/contract'
import { describe, expect, test } from 'vitest'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { type Actor, Latch, leaseMs, playOn, type Stage } from './stage.ts'

/** Crashes, pauses, lost answers, hanging handlers: what docs/state-machines.md says of each. */
export function describeLosing(subject: () => GroupStoreUnderTest): void {
  const onStage = playOn(subject)
  const ended = (actor: Actor, reason: string) => () =>
    actor.news.some((news) => news.kind === 'ended' && news.reason === reason)

  describe('losing', () => {
    test('a member that dies after handling and before its commit loses nothing: it is delivered again', () =>
      onStage(async (stage) => {
        const uncommitted = 6
        await stage.append(...Array.from({ length: 30 }, (_, at) => `k${at % 4}`))
        const first = await stage.start(
          ({ position }) => {
            if (position.seq === 17) first.store.cut()
          },
          { atOnce: 1, laneWindow: 1, uncommitted },
        )
        await stage.until(() => first.news.some(({ kind }) => kind === 'trouble'))
        const before = await stage.look()
        expect(before.position.seq).toBeLessThan(17)
        await first.running.stop()
        await stage.start()
        subject().advance(leaseMs)
        await stage.until(() => stage.completed().size === 30)
        // Some were handled twice, and no more than was promised.
        const twice = stage.done.length - 30
        expect(twice).toBeGreaterThan(0)
        expect(twice).toBeLessThanOrEqual(uncommitted)
        expect(stage.disordered()).toEqual([])
      }))

    test('a member paused past its lease cannot commit: its commit is seen rejected', () =>
      onStage(async (stage) => {
        await stage.append('a', 'a', 'b')
        const latch = new Latch()
        const sleeper = await stage.start(() => latch.pass(() => stage.changed()))
        await stage.until(() => latch.waiting === 2)
        sleeper.store.pause()
        subject().advance(leaseMs)
        const other = await stage.start()
        await stage.until(() => other.done.length === 3)
        await stage.until(() => other.store.commits.length > 0)
        const before = await stage.look()
        // It wakes up, its handlers end, and it tries to commit what they did.
        latch.open()
        sleeper.store.resume()
        await stage.until(ended(sleeper, 'lost'))
        const rejected = sleeper.store.commits.filter(({ result }) => result === 'fenced')
        const noticedByRenewal = sleeper.store.commits.length === 0
        expect(rejected.length > 0 || noticedByRenewal).toBe(true)
        expect(await stage.look()).toMatchObject({ position: before.position, n: before.n })
        expect(stage.disordered()).toEqual([])
      }))

    test('a sleeper whose handlers have ended sends its commit first, and the store refuses it', () =>
      onStage(async (stage) => {
        await stage.append('a', 'b')
        const latch = new Latch()
        const sleeper = await stage.start(() => latch.pass(() => stage.changed()), { commitEvery: 1 })
        await stage.until(() => latch.waiting === 2)
        sleeper.store.pause()
        // The commit is on its way when the process falls asleep.
        latch.open()
        await stage.until(() => sleeper.done.length === 2)
        subject().advance(leaseMs)
        const other = await stage.start()
        await stage.until(() => other.done.length === 2)
        sleeper.store.resume()
        await stage.until(ended(sleeper, 'lost'))
        expect(sleeper.store.commits.map(({ result }) => result)).toEqual(['fenced'])
      }))

    test('a member that lost its lease drops what it has in hand and may come back later', () =>
      onStage(async (stage) => {
        await stage.append('a', 'a', 'a')
        const latch = new Latch()
        const signals: AbortSignal[] = []
        const first = await stage.start(async (_, { signal }) => {
          signals.push(signal)
          await latch.pass(() => stage.changed())
        })
        await stage.until(() => latch.waiting === 1)
        first.store.pause()
        subject().advance(leaseMs)
        const second = await stage.start()
        await stage.until(() => second.done.length === 3)
        first.store.resume()
        await stage.until(ended(first, 'lost'))
        expect(signals[0]?.aborted).toBe(true)
        latch.open()
        await second.running.stop()
        await stage.append('a')
        await stage.until(() => first.done.includes(4))
        // 2 and 3 were in its hand once and are not handled by it any more.
        expect(first.done).toEqual([1, 4])
      }))

    test('after an unknown result the same commit is sent again, and nothing is handled twice', () =>
      onStage(async (stage) => {
        await stage.append(...Array.from({ length: 12 }, (_, at) => `k${at}`))
        const actor = await stage.start()
        actor.store.loseAnswers(2)
        await stage.until(() => actor.store.commits.some(({ result }) => result === 'already'))
        await stage.until(() => stage.done.length === 12)
        await actor.running.stop()
        expect(stage.done).toHaveLength(12)
        expect((await stage.look()).position.seq).toBe(12)
      }))

    test('a member that hangs does not renew, and another one takes over', () =>
      onStage(async (stage) => {
        await stage.append('a', 'b')
        const latch = new Latch()
        const hanging = await stage.start(() => latch.pass(() => stage.changed()), { stalledMs: 30 })
        await stage.until(() => latch.waiting === 2)
        await stage.until(() => hanging.news.some(({ kind }) => kind === 'stalled'))
        expect(hanging.running.health()).toMatchObject({ state: 'down' })
        subject().advance(leaseMs)
        const other = await stage.start()
        await stage.until(() => other.done.length === 2)
        latch.open()
      }))

    const seed = testSeed()
    test(`killed, paused and replaced at random, members lose nothing and hold the order of each key (seed ${seed})`, () =>
      onStage(async (stage) => {
        const random = randomOf(seed)
        await expect(chaos(stage, random), `seed ${seed}`).resolves.toEqual([])
      }))
  })

  async function chaos(stage: Stage, random: () => number): Promise<readonly string[]> {
    const total = 300
    const flaky = () => {
      if (random() < 0.05) throw new Error('flaky')
    }
    const start = () => stage.start(flaky, { atOnce: 4, window: 40, commitEvery: 7 })
    let appended = 0
    let member = await start()
    while (appended < total) {
      const size = 1 + Math.floor(random() * 20)
      await stage.append(...Array.from({ length: size }, () => `k${Math.floor(random() * 9)}`))
      appended += size
      const target = Math.floor(appended * random())
      await stage.until(() => stage.completed().size >= target)
      const fate = random()
      if (fate < 0.3) member.store.cut()
      else if (fate < 0.6) member.store.pause()
      else if (fate < 0.7) member.store.loseAnswers(1)
      else if (fate < 0.8) void member.running.stop()
      if (fate < 0.8 && !(fate >= 0.6 && fate < 0.7)) {
        const before = member
        member = await start()
        subject().advance(leaseMs)
        if (random() < 0.5) before.store.resume()
      }
    }
    await stage.until(() => stage.completed().size >= appended)
    return stage.disordered()
  }
}
