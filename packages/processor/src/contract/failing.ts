import { describe, expect, test } from 'vitest'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { completed, playOn } from './stage.ts'

/** Failures that are not the event's: waits that cost no attempts, and the gate. */
export function describeFailing(subject: () => GroupStoreUnderTest): void {
  const onStage = playOn(subject)

  describe('failures', () => {
    test('attempts that are spent make a dead letter; waits do not spend any', () =>
      onStage(async (stage) => {
        await stage.append('a', 'a')
        const away = new Error('away')
        let calls = 0
        const actor = await stage.start(
          ({ position }) => {
            calls += 1
            if (position.seq === 1) throw calls <= 4 ? away : new Error('broken')
          },
          { attempts: 2, kindOf: (error) => (error === away ? 'wait' : 'retry') },
        )
        await stage.until(() => stage.done.length === 1)
        await actor.running.stop()
        expect(calls).toBe(7)
        expect(await stage.deadLetters()).toMatchObject([
          { seq: 1, reason: 'attempts-spent', attempts: 2, message: 'broken' },
        ])
      }))

    test('while the gate is closed nothing is handed over but the one that it asks for', () =>
      onStage(async (stage) => {
        await stage.append('a', 'b', 'c', 'a')
        let open = false
        let asked = Promise.withResolvers<void>()
        const gate = {
          get open() {
            return open
          },
          opened: () => asked.promise,
        }
        const tried: number[] = []
        const actor = await stage.start(
          ({ position }) => {
            tried.push(position.seq)
            stage.changed()
            if (!open) throw new Error('away')
          },
          { gate, kindOf: () => 'wait' },
        )
        await stage.until(() => actor.news.some(({ kind }) => kind === 'paused'))
        expect(actor.running.health()).toMatchObject({ paused: true, state: 'degraded' })
        expect(tried).toEqual([])
        const probe = asked
        asked = Promise.withResolvers<void>()
        probe.resolve()
        await stage.until(() => actor.news.some(({ kind }) => kind === 'retry'))
        expect(tried).toEqual([1])
        open = true
        asked.resolve()
        await stage.until(completed(stage, 4))
        expect(actor.news.filter(({ kind }) => kind === 'resumed')).toHaveLength(1)
      }))
  })
}
