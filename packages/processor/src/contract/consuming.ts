import { happened } from '@millrace/log/contract'
import { describe, expect, test } from 'vitest'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { completed, Latch, playOn } from './stage.ts'

/** Handling: order of a key, keys at once, bounds, stops. */
export function describeConsuming(subject: () => GroupStoreUnderTest): void {
  const onStage = playOn(subject)

  describe('handling', () => {
    test('everything is handled once, keys in order, and the position is at the tip after a stop', () =>
      onStage(async (stage) => {
        await stage.append(...Array.from({ length: 120 }, (_, at) => `k${at % 7}`))
        const actor = await stage.start(undefined, { window: 16 })
        await stage.until(completed(stage, 120))
        await actor.running.stop()
        expect(stage.done).toHaveLength(120)
        expect(stage.disordered()).toEqual([])
        expect(await stage.look()).toMatchObject({ position: { seq: 120 }, ahead: [], untilMs: 0 })
      }))

    test('what is appended later is handled, too, in all partitions', () =>
      onStage(async (stage) => {
        await stage.start()
        for (let round = 1; round <= 3; round++) {
          await stage.append(...Array.from({ length: 20 }, (_, at) => `k${at}`))
          await stage.until(() => stage.done.length === round * 20)
        }
        expect(stage.disordered()).toEqual([])
      }, 4))

    test('different keys are handled at once, up to the bound; one key never', () =>
      onStage(async (stage) => {
        await stage.append('a', 'a', 'b', 'c', 'd')
        const latch = new Latch()
        const keys: string[] = []
        await stage.start(
          async ({ event }) => {
            keys.push(event.subject)
            await latch.pass(() => stage.changed())
          },
          { atOnce: 3 },
        )
        await stage.until(() => latch.waiting === 3)
        expect(keys).toEqual(['a', 'b', 'c'])
        latch.open()
        await stage.until(completed(stage, 5))
        expect(latch.waiting).toBe(5)
      }))

    test('events of types that the group does not want count as settled', () =>
      onStage(async (stage) => {
        const strange = { ...happened(stage.topic, 'a'), type: 'Strange' }
        await stage.subject.log.append(stage.topic, [{ events: [strange] }])
        await stage.append('a')
        const actor = await stage.start(undefined, { types: ['Happened'] })
        await stage.until(() => stage.done.length === 1)
        await actor.running.stop()
        expect(actor.done).toEqual([2])
        expect(await stage.look()).toMatchObject({ position: { seq: 2 }, deadLetters: 0 })
      }))

    test('a stop lets the handlers end, commits, and leaves the partition to others at once', () =>
      onStage(async (stage) => {
        await stage.append('a', 'b', 'a', 'b')
        const latch = new Latch()
        const actor = await stage.start(() => latch.pass(() => stage.changed()), {
          commitMs: 60_000,
          laneWindow: 1,
        })
        await stage.until(() => latch.waiting === 2)
        const stopping = actor.running.stop()
        latch.open()
        await stopping
        expect(actor.done).toEqual([1, 2])
        expect(await stage.look()).toMatchObject({ position: { seq: 2 }, untilMs: 0 })
        await stage.start()
        await stage.until(completed(stage, 4))
        expect(stage.done).toHaveLength(4)
      }))

    test('a handler that outlasts the stop sees its signal, and its event is delivered again', () =>
      onStage(async (stage) => {
        await stage.append('a')
        let aborted = false
        const first = await stage.start(
          (_, { signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                aborted = true
                reject(new Error('given up'))
              })
              stage.changed()
            }),
          { stopMs: 10 },
        )
        await stage.until(() => first.news.some(({ kind }) => kind === 'leased'))
        await stage.until(() => first.running.health().partitions[0]?.inHand === 1)
        await first.running.stop()
        expect(aborted).toBe(true)
        expect((await stage.look()).position.seq).toBe(0)
        await stage.start()
        await stage.until(completed(stage, 1))
      }))
  })
}
