import { MillraceError } from '@millrace/event'
import { expect, test } from 'vitest'
import { defineEffect } from '../../model/effect.ts'
import { processor } from '../../model/processor.ts'
import { type EffectAction, type EffectOutcome, EffectRepairer } from '../../repair/effect-repairer.ts'
import type { RepairOrder } from '../../repair/repair-action.ts'
import { effectNoteOf } from '../waiting-effect.ts'
import { type EngineUnderTest, type Player, type Scene, sceneOf } from './scene.ts'

const order: RepairOrder = { by: 'ada', reason: 'the address is right by now' }

/** Repairs of effects: the owner finds what was put back, and carries it out in its key's order. */
export function describeRepairedEffects(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  interface Posts {
    readonly player: Player
    readonly calls: string[]
    /** Payloads that are refused for good. */
    readonly refused: Set<number>
    readonly repair: (action: EffectAction, more?: Partial<RepairOrder>) => Promise<readonly EffectOutcome[]>
    readonly start: () => Promise<Player>
  }

  /** Notes each attempt of posting a number; calls that `hold` says something about wait for it. */
  async function posts(stage: Scene, hold: (n: number) => Promise<void> | void = () => {}): Promise<Posts> {
    const calls: string[] = []
    const refused = new Set([1])
    const post = defineEffect('post', {
      schema: stage.source.types.Counted,
      run: async ({ n }, { attempt }) => {
        calls.push(`${n} ${attempt}`)
        stage.changed()
        await hold(n)
        if (refused.has(n)) throw new MillraceError('mail.refused', `no such address as ${n}`)
      },
    })
    const program = processor('posts', stage.source, {
      effects: [post],
      handle: (event, context) => context.effect(post, event.data),
    })
    const { store } = stage.subject
    const clock = { now: () => stage.subject.now() }
    const repairer = new EffectRepairer({ store, clock, effectsOf: () => program.effects })
    const start = () => stage.start(program, { kindOf: () => 'permanent' })
    return {
      player: await start(),
      calls,
      refused,
      start,
      repair: async (action, more) => {
        const outcomes: EffectOutcome[] = []
        for await (const one of repairer.selection(stage.at('posts'), {}, action, { ...order, ...more }))
          outcomes.push(one)
        return outcomes
      },
    }
  }

  const ledger = async (stage: Scene) => {
    const { counters, differences } = await stage.subject.store.audit(stage.at('posts'))
    expect(differences).toEqual([])
    return counters.effects
  }
  const told = (player: Player, kind: string) => player.news.filter((one) => one.kind === kind).length

  test('a dead effect says why; put back it is carried out from its first attempt on', () =>
    scene(async (stage) => {
      const { player, calls, refused, repair } = await posts(stage)
      await stage.append('a', 'b')
      await settledIn(stage, { dead: 1, confirmed: 1 })
      const { items } = await stage.subject.store.deadEffects(stage.at('posts'))
      expect(items[0]?.atMs).toBeGreaterThan(0)
      expect(items).toMatchObject([{ effect: { key: 'a', name: 'post' } }])
      expect(effectNoteOf(items[0]?.effect.note)).toMatchObject({
        attempts: 1,
        reason: 'mail.refused',
        tries: [{ error: 'mail.refused: no such address as 1' }],
      })
      refused.clear()
      expect(await repair({ do: 'requeue' })).toMatchObject([{ status: 'ruled', key: 'a', name: 'post' }])
      await settledIn(stage, { dead: 0, confirmed: 2 })
      expect(calls).toEqual(['1 1', '2 1', '1 1'])
      expect(told(player, 'effect-dead')).toBe(1)
    }))

  test('a corrected payload is checked, and carried out instead', () =>
    scene(async (stage) => {
      const { calls, repair } = await posts(stage)
      await stage.append('a')
      await settledIn(stage, { dead: 1 })
      expect(await repair({ do: 'edit', data: { m: 1 } })).toMatchObject([
        { status: 'invalid', code: 'event.invalid' },
      ])
      expect(await repair({ do: 'edit', patch: { n: 7 } })).toMatchObject([{ status: 'ruled' }])
      await settledIn(stage, { dead: 0, confirmed: 1 })
      expect(calls).toEqual(['1 1', '7 1'])
    }))

  test('one that dies again keeps all its attempts, and is put back by a new order alone', () =>
    scene(async (stage) => {
      const { calls, repair } = await posts(stage)
      await stage.append('a')
      await settledIn(stage, { dead: 1 })
      expect(await repair({ do: 'requeue' }, { id: 'one' })).toHaveLength(1)
      await stage.until(() => calls.length === 2)
      await settledIn(stage, { dead: 1, pending: 0 })
      stage.subject.advance(5)
      expect(await repair({ do: 'requeue' }, { id: 'one' })).toMatchObject([{ status: 'already' }])
      const { items } = await stage.subject.store.deadEffects(stage.at('posts'))
      expect(effectNoteOf(items[0]?.effect.note).tries).toHaveLength(2)
      expect(items).toMatchObject([{ effect: { turn: 3, ruling: { kind: 'requeued', by: 'ada' } } }])
    }))

  test('what later effects of its key have overtaken needs force', () =>
    scene(async (stage) => {
      const { calls, refused, repair } = await posts(stage)
      await stage.append('a', 'a', 'a')
      await settledIn(stage, { dead: 1, confirmed: 2 })
      refused.clear()
      expect(await repair({ do: 'requeue' })).toMatchObject([
        { status: 'overtaken', overtaken: { count: 2, first: 2, last: 3 } },
      ])
      expect(await repair({ do: 'requeue' }, { force: true })).toMatchObject([{ status: 'ruled' }])
      await settledIn(stage, { dead: 0, confirmed: 3 })
      expect(calls).toEqual(['1 1', '2 1', '3 1', '1 1'])
    }))

  test('it goes before what waits of its key, behind what is under way', () =>
    scene(async (stage) => {
      const { promise: held, resolve: goOn } = Promise.withResolvers<void>()
      const { player, calls, refused, repair } = await posts(stage, (n) => (n === 2 ? held : undefined))
      await stage.append('a', 'a', 'a')
      await stage.until(() => calls.length === 2)
      await settledIn(stage, { dead: 1, pending: 2 })
      refused.clear()
      await repair({ do: 'requeue' })
      // A look that began before the ruling may not have seen it.
      const looks = () => player.faults.answered.get('requeuedEffects') ?? 0
      const enough = looks() + 2
      await stage.until(() => looks() >= enough)
      goOn()
      await settledIn(stage, { dead: 0, confirmed: 3 })
      expect(calls).toEqual(['1 1', '2 1', '1 1', '3 1'])
    }))

  test('an owner that begins later finds it as well, and carries it out once', () =>
    scene(async (stage) => {
      const { player, calls, refused, repair, start } = await posts(stage)
      await stage.append('a')
      await settledIn(stage, { dead: 1 })
      await player.running.stop()
      refused.clear()
      await repair({ do: 'requeue' })
      await start()
      await settledIn(stage, { dead: 0, confirmed: 1 })
      expect(calls).toEqual(['1 1', '1 1'])
    }))

  test('an ignored one is never carried out, and asked for again there is nothing', () =>
    scene(async (stage) => {
      const { calls, repair } = await posts(stage)
      await stage.append('a')
      await settledIn(stage, { dead: 1 })
      expect(await repair({ do: 'ignore' })).toMatchObject([{ status: 'ruled' }])
      expect(await repair({ do: 'ignore' })).toEqual([])
      expect(await ledger(stage)).toMatchObject({ recorded: 1, ignored: 1, dead: 0 })
      expect(calls).toEqual(['1 1'])
    }))

  /** The ledger says so, and nothing differs. */
  async function settledIn(stage: Scene, expected: Readonly<Record<string, number>>): Promise<void> {
    for (;;) {
      const found: Readonly<Record<string, number>> = { ...(await ledger(stage)) }
      if (Object.entries(expected).every(([name, count]) => found[name] === count)) return
      let looked = false
      await stage.until(() => looked || !(looked = true))
    }
  }
}
