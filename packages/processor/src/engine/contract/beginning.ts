import { expect, test } from 'vitest'
import { defineEffect } from '../../model/effect.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import type { StartPoint } from '../group-beginning.ts'
import { type EngineUnderTest, leaseMs, type Scene, sceneOf } from './scene.ts'

/** How long an ephemeral group stays. On Redis that much time passes, and a machine may stand still for a part of it. */
const expireMs = leaseMs * 3

/** Where a group begins, from when its effects count, and how it ends. */
export function describeBeginning(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)
  const folding = (stage: Scene, carriedOut: string[] = []) => {
    const post = defineEffect('post', {
      schema: stage.source.types.Counted,
      run: ({ n }, { key }) => void carriedOut.push(`${key}${n}`),
    })
    return processor('begins', stage.source, {
      state: state<readonly number[]>({ initial: () => [] }),
      effects: [post],
      handle: (event, context) => {
        context.evolve([...context.state, event.data.n])
        context.emit(stage.target, { type: 'Derived', data: event.data })
        context.effect(post, event.data)
      },
    })
  }

  test('behind the last event, a position or a time; the ledger counts from there', () =>
    scene(async (stage) => {
      const [, second] = await stage.append('a', 'a')
      stage.subject.advance(1_000)
      const time = new Date(stage.subject.now())
      await stage.append('b', 'b')
      stage.subject.advance(1_000)
      const cases: readonly (readonly [StartPoint, number, unknown])[] = [
        [time, 2, [1, 2]],
        [time.toISOString(), 2, [1, 2]],
        [second ? [second] : [], 2, [1, 2]],
        [new Date(0), 0, [1, 2]],
        ['earliest', 0, [1, 2]],
        ['latest', 4, undefined],
      ]
      for (const [from, base, b] of cases) {
        const name = `begins-${Math.random().toString(36).slice(2, 8)}`
        const player = await stage.start({ ...folding(stage), name }, { from })
        await stage.until(() => player.news.some(({ kind }) => kind === 'leased'))
        if (b !== undefined) await stage.reached(player, 4)
        const { start } = await stage.subject.store.look(stage.at(name))
        expect(start.seq).toBe(base)
        expect(await stage.stateOf(name, 'a')).toEqual(base === 0 ? [1, 2] : undefined)
        expect(await stage.stateOf(name, 'b')).toEqual(b)
        expect(await stage.differences(name)).toEqual([])
        await player.running.stop()
      }
    }))

  test('before effectsFrom all is folded and nothing goes out; later runs agree, whatever they say', () =>
    scene(async (stage) => {
      const carriedOut: string[] = []
      await stage.append('a', 'b', 'a')
      const first = await stage.start(folding(stage, carriedOut), { effectsFrom: 'latest', commitEvery: 1 })
      await stage.reached(first, 3)
      expect(first.running.health().withheld).toEqual({ effects: 3, emits: 3 })
      first.faults.cut()
      stage.subject.advance(leaseMs + 1)
      await stage.append('a')
      const second = await stage.start(folding(stage, carriedOut), { from: 'latest' })
      await stage.reached(second, 4)
      await stage.until(() => carriedOut.length > 0)
      await second.running.stop()
      expect(await stage.stateOf('begins', 'a')).toEqual([1, 3, 1])
      expect(carriedOut).toEqual(['a1'])
      expect((await stage.history(stage.target)).map(({ event }) => event.data)).toEqual([{ n: 1 }])
      expect(second.news.filter(({ kind }) => kind === 'start-ignored')).toHaveLength(1)
      expect(second.running.health()).toMatchObject({ startIgnored: [0] })
      expect((await stage.subject.store.look(stage.at('begins'))).start.withheldTo).toBe(3)
      expect(await stage.differences('begins')).toEqual([])
    }))

  test('nothing is left of an ephemeral group when it had no sign of life for its time', () =>
    scene(async (stage) => {
      await stage.append('a', 'b', 'a')
      const options = { ephemeral: { expireMs } }
      const first = await stage.start(folding(stage), options)
      await stage.reached(first, 3)
      const at = stage.at('begins')
      expect((await stage.subject.store.look(at)).position.seq).toBe(3)
      await first.running.stop()
      await gone(stage)
      expect((await stage.subject.store.look(at)).position.seq).toBe(0)
      expect(await stage.stateOf('begins', 'a')).toBeUndefined()
      const second = await stage.start(folding(stage), options)
      await stage.reached(second, 3)
      expect(await stage.stateOf('begins', 'a')).toEqual([1, 3])
    }))

  test('an ephemeral group that would be gone within its lease, or has a list of members, is refused', () =>
    scene(async (stage) => {
      const short = stage.start(folding(stage), { ephemeral: { expireMs: leaseMs } })
      await expect(short).rejects.toThrow(/at least two leases/)
      await expect(stage.start(folding(stage), { from: 'soon' })).rejects.toThrow(/is no time/)
    }))
}

/** The memory store goes by the scene's clock, Redis by its own. A look that prolonged the time to live would see no end. */
async function gone(stage: Scene): Promise<void> {
  stage.subject.advance(expireMs + 1)
  while ((await stage.subject.store.look(stage.at('begins'))).position.seq > 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
}
