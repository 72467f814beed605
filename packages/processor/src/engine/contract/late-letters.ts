import { MillraceError, systemElapsedMs, systemTimers, type Timers } from '@millrace/event'
import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { type EngineUnderTest, sceneOf } from './scene.ts'

/** Dead letters that were put back, while something else keeps their keys. */
export function describeLateLetters(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  test('a letter whose key is parked is handled as soon as its key is open again', () =>
    scene(async (stage) => {
      const { timers, beat } = beaten()
      const { promise: mended, resolve: mend } = Promise.withResolvers<void>()
      let attempts = 0
      const slow = processor('notes', stage.source, {
        state: state<readonly number[]>({ initial: () => [] }),
        onExhausted: 'skip-event',
        handle: async (event, context) => {
          if (event.data.n === 1) throw new MillraceError('event.invalid')
          if (event.data.n === 2) {
            attempts += 1
            if (attempts === 1) throw new Error('away')
            await mended
          }
          context.evolve([...context.state, event.data.n])
        },
      })
      let stands: number | undefined
      const elapsedMs = () => stands ?? systemElapsedMs()
      const player = await stage.start(slow, { quickRetries: 0, timers, elapsedMs })
      await stage.appendNumbered(['a', 'a'], 1)
      await stage.until(() => attempts === 2)
      const { store } = stage.subject
      const edit = { id: 'i', seq: 1, key: 'a', kind: 'corrected', data: { n: 3 } } as const
      const order = { by: 'ada', reason: 'a poor import', force: true } as const
      const ruled = await store.rule(stage.at('notes'), { ...edit, ...order })
      expect(ruled).toMatchObject({ status: 'ruled', on: 'dead' })
      // While its time stands still, no renewal comes either.
      stands = systemElapsedMs()
      const looked = () => player.faults.answered.get('requeued') ?? 0
      const before = looked()
      beat()
      await stage.until(() => looked() > before)
      mend()
      await stage.until(() => player.news.some(({ kind }) => kind === 'late'))
      stands = undefined
      expect(await stage.stateOf('notes', 'a')).toEqual([2, 3])
      expect(await stage.differences('notes')).toEqual([])
    }))
}

/** Timers of the machine, but for the beat by which owners look for what others have ruled: that one is the test's. */
function beaten(): { readonly timers: Timers; readonly beat: () => void } {
  let waiting: (() => void)[] = []
  const beat = () => {
    const due = waiting
    waiting = []
    for (const act of due) act()
  }
  const set: Timers['set'] = (delayMs, act) => {
    if (delayMs !== 1_000) return systemTimers.set(delayMs, act)
    waiting.push(act)
    return () => {
      waiting = waiting.filter((one) => one !== act)
    }
  }
  return { timers: { ...systemTimers, set }, beat }
}
