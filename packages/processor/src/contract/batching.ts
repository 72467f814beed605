import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { consume } from '../consume.ts'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { playOn } from './stage.ts'

/** Handlers of whole batches. */
export function describeBatching(subject: () => GroupStoreUnderTest): void {
  const onStage = playOn(subject)

  describe('batches', () => {
    test('come in the order of the log, and one bad event of a batch is found', () =>
      onStage(async (stage) => {
        await stage.append(...Array.from({ length: 40 }, (_, at) => `k${at % 3}`))
        const seen: number[] = []
        const consumer = consume({
          log: stage.subject.log,
          store: stage.subject.store,
          topic: stage.topic,
          group: 'readers',
          batch: 8,
          commitMs: 5,
          retry: { firstMs: 1, maxMs: 5 },
          handleBatch: (batch) => {
            if (batch.some(({ position }) => position.seq === 13)) throw new MillraceError('event.invalid')
            seen.push(...batch.map(({ position }) => position.seq))
            stage.changed()
          },
        })
        await stage.until(() => seen.length === 39)
        await consumer.stop()
        expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => at + 1).filter((seq) => seq !== 13))
        expect(await stage.deadLetters()).toMatchObject([{ seq: 13, reason: 'event.invalid' }])
        expect((await stage.look()).position.seq).toBe(40)
      }))

    test('start where the handler stands, be it behind the group, and again when it asks for it', () =>
      onStage(async (stage) => {
        const positions = await stage.append('a', 'a', 'a', 'a')
        let stands = 0
        let setBack = true
        const seen: number[] = []
        const runToTheEnd = async () => {
          const consumer = consume({
            log: stage.subject.log,
            store: stage.subject.store,
            topic: stage.topic,
            group: 'readers',
            batch: 1,
            commitMs: 5,
            startAt: async () => positions[stands - 1] ?? { id: '0-0', seq: 0 },
            kindOf: () => 'restart',
            handleBatch: ([recorded]) => {
              const seq = recorded?.position.seq ?? 0
              if (seq !== stands + 1) throw new Error('a gap')
              if (seq === 3 && setBack) {
                setBack = false
                stands = 1
                throw new Error('set back')
              }
              stands = seq
              seen.push(seq)
              stage.changed()
            },
          })
          await stage.until(() => stands === 4)
          await consumer.stop()
        }
        await runToTheEnd()
        expect(seen).toEqual([1, 2, 2, 3, 4])
        stands = 0
        await runToTheEnd()
        expect(seen.slice(5)).toEqual([1, 2, 3, 4])
        expect(await stage.look()).toMatchObject({ position: { seq: 4 }, deadLetters: 0 })
      }))
  })
}
