import { MillraceError } from '@millrace/event'
import { happened } from '@millrace/log/contract'
import { describe, expect, test } from 'vitest'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { completed, playOn } from './stage.ts'

/** Failures: attempts, dead letters, the window, the gate. */
export function describeFailing(subject: () => GroupStoreUnderTest): void {
  const onStage = playOn(subject)

  describe('failures', () => {
    test('a failing key is tried again; its later events wait, and all other keys go on', () =>
      onStage(async (stage) => {
        await stage.append('bad', 'good', 'bad', 'good', 'better', 'good')
        let failing = true
        const attempts: number[] = []
        const actor = stage.start(({ event }, { attempt }) => {
          if (event.subject !== 'bad') return
          attempts.push(attempt)
          if (failing) throw new Error('not yet')
        })
        await stage.until(() => stage.done.length === 4 && attempts.length >= 3)
        expect(new Set(actor.done)).toEqual(new Set([2, 4, 5, 6]))
        expect(attempts.slice(0, 3)).toEqual([1, 2, 3])
        expect(actor.consumer.health()).toMatchObject({ state: 'degraded' })
        failing = false
        await stage.until(completed(stage, 6))
        expect(stage.disordered()).toEqual([])
      }))

    test('other keys go on behind a failing one exactly as far as the window, and what they did is kept', () =>
      onStage(async (stage) => {
        await stage.append('bad', ...Array.from({ length: 50 }, (_, at) => `k${at}`))
        const fail = ({ event }: { event: { subject: string } }) => {
          if (event.subject === 'bad') throw new Error('never')
        }
        const first = stage.start(fail, { window: 20 })
        await stage.until(() => first.done.length === 19)
        await stage.until(() => first.store.commits.some(({ result }) => result === 'committed'))
        await first.consumer.stop()
        expect(first.done).toHaveLength(19)
        expect(await stage.look()).toMatchObject({ position: { seq: 0 } })
        expect((await stage.look()).ahead).toHaveLength(19)
        // The next owner does not repeat them.
        const second = stage.start(undefined, { window: 20 })
        await stage.until(completed(stage, 51))
        expect(second.done).toHaveLength(32)
        expect(stage.done).toHaveLength(51)
      }))

    test('a permanent failure becomes a dead letter with its reason, and its key goes on', () =>
      onStage(async (stage) => {
        await stage.append('a', 'a', 'b')
        const refusal = new MillraceError('mail.refused', 'no such mailbox', { details: { answer: '550' } })
        const actor = stage.start(
          ({ position }) => {
            if (position.seq === 1) throw refusal
          },
          { kindOf: (error) => (error === refusal ? 'permanent' : 'retry') },
        )
        await stage.until(() => stage.done.length === 2)
        await actor.consumer.stop()
        expect(await stage.deadLetters()).toMatchObject([
          {
            seq: 1,
            key: 'a',
            reason: 'mail.refused',
            message: 'no such mailbox',
            details: { answer: '550' },
          },
        ])
        expect(await stage.look()).toMatchObject({ position: { seq: 3 }, deadLetters: 1 })
        expect(actor.news.filter(({ kind }) => kind === 'dead')).toHaveLength(1)
      }))

    test('an event that cannot be read as its type becomes a dead letter without an attempt', () =>
      onStage(async (stage) => {
        const strange = { ...happened(stage.topic, 'a'), type: 'Strange' }
        await stage.subject.log.append(stage.topic, [{ events: [strange] }])
        await stage.append('a')
        const actor = stage.start()
        await stage.until(() => stage.done.length === 1)
        await actor.consumer.stop()
        expect(await stage.deadLetters()).toMatchObject([{ seq: 1, reason: 'type.unknown', attempts: 0 }])
      }))

    test('attempts that are spent make a dead letter; waits do not spend any', () =>
      onStage(async (stage) => {
        await stage.append('a', 'a')
        const away = new Error('away')
        let calls = 0
        const actor = stage.start(
          ({ position }) => {
            calls += 1
            if (position.seq === 1) throw calls <= 4 ? away : new Error('broken')
          },
          { attempts: 2, kindOf: (error) => (error === away ? 'wait' : 'retry') },
        )
        await stage.until(() => stage.done.length === 1)
        await actor.consumer.stop()
        expect(calls).toBe(7)
        expect(await stage.deadLetters()).toMatchObject([
          { seq: 1, reason: 'attempts-spent', attempts: 2, message: 'broken' },
        ])
      }))

    test('a time limit aborts the attempt, and it is tried again', () =>
      onStage(async (stage) => {
        await stage.append('a')
        stage.start(
          (_, { attempt, signal }) =>
            attempt > 1
              ? undefined
              : new Promise((_resolve, reject) =>
                  signal.addEventListener('abort', () => reject(new Error())),
                ),
          { handlerTimeoutMs: 10 },
        )
        await stage.until(completed(stage, 1))
        expect(stage.done).toHaveLength(1)
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
        const actor = stage.start(
          ({ position }) => {
            tried.push(position.seq)
            stage.changed()
            if (!open) throw new Error('away')
          },
          { gate, kindOf: () => 'wait' },
        )
        await stage.until(() => actor.news.some(({ kind }) => kind === 'paused'))
        expect(actor.consumer.health()).toMatchObject({ paused: true, state: 'degraded' })
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
