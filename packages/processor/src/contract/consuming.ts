import { MillraceError } from '@millrace/event'
import { happened } from '@millrace/log/contract'
import { describe, expect, test } from 'vitest'
import { consume } from '../consume.ts'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { Latch, Stage } from './stage.ts'

const tip = (stage: Stage, seq: number) => () =>
  stage.completed().size >= seq && [...stage.completed()].every((one) => one <= seq)

/** Handling: order of a key, keys at once, failures, bounds, stops. */
export function describeConsuming(subject: () => GroupStoreUnderTest): void {
  async function onStage(play: (stage: Stage) => Promise<void>, partitions = 1): Promise<void> {
    const stage = new Stage(subject(), partitions)
    try {
      await play(stage)
    } finally {
      await stage.end()
    }
  }

  describe('handling', () => {
    test('everything is handled once, keys in order, and the position is at the tip after a stop', () =>
      onStage(async (stage) => {
        await stage.append(...Array.from({ length: 120 }, (_, at) => `k${at % 7}`))
        const actor = stage.start(undefined, { window: 16 })
        await stage.until(tip(stage, 120))
        await actor.consumer.stop()
        expect(stage.done).toHaveLength(120)
        expect(stage.disordered()).toEqual([])
        expect(await stage.look()).toMatchObject({ position: { seq: 120 }, ahead: [], untilMs: 0 })
      }))

    test('what is appended later is handled, too, in all partitions', () =>
      onStage(async (stage) => {
        stage.start()
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
        stage.start(
          async ({ event }) => {
            keys.push(event.subject)
            await latch.pass(() => stage.changed())
          },
          { concurrency: 3 },
        )
        await stage.until(() => latch.waiting === 3)
        expect(keys).toEqual(['a', 'b', 'c'])
        latch.open()
        await stage.until(tip(stage, 5))
        expect(latch.waiting).toBe(5)
      }))

    test('events of types that the group does not want count as settled', () =>
      onStage(async (stage) => {
        const strange = { ...happened(stage.topic, 'a'), type: 'Strange' }
        await stage.subject.log.append(stage.topic, [{ events: [strange] }])
        await stage.append('a')
        const actor = stage.start(undefined, { types: ['Happened'] })
        await stage.until(() => stage.done.length === 1)
        await actor.consumer.stop()
        expect(actor.done).toEqual([2])
        expect(await stage.look()).toMatchObject({ position: { seq: 2 }, deadLetters: 0 })
      }))

    test('no more than the window is in hand, however large the backlog', () =>
      onStage(async (stage) => {
        await stage.append(...Array.from({ length: 200 }, (_, at) => `k${at}`))
        const latch = new Latch()
        const actor = stage.start(() => latch.pass(() => stage.changed()), { window: 20, concurrency: 4 })
        await stage.until(() => latch.waiting === 4)
        expect(actor.consumer.health().partitions[0]?.inHand).toBeLessThanOrEqual(20)
        latch.open()
        await stage.until(tip(stage, 200))
      }))

    test('a stop lets the handlers end, commits, and leaves the partition to others at once', () =>
      onStage(async (stage) => {
        await stage.append('a', 'b', 'a', 'b')
        const latch = new Latch()
        const actor = stage.start(() => latch.pass(() => stage.changed()), { commitMs: 60_000 })
        await stage.until(() => latch.waiting === 2)
        const stopping = actor.consumer.stop()
        latch.open()
        await stopping
        expect(actor.done).toEqual([1, 2])
        expect(await stage.look()).toMatchObject({ position: { seq: 2 }, untilMs: 0 })
        stage.start()
        await stage.until(tip(stage, 4))
        expect(stage.done).toHaveLength(4)
      }))

    test('a handler that outlasts the stop sees its signal, and its event is delivered again', () =>
      onStage(async (stage) => {
        await stage.append('a')
        let aborted = false
        const first = stage.start(
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
        await stage.until(() => first.consumer.health().partitions[0]?.inHand === 1)
        await first.consumer.stop()
        expect(aborted).toBe(true)
        expect((await stage.look()).position.seq).toBe(0)
        stage.start()
        await stage.until(tip(stage, 1))
      }))
  })

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
        await stage.until(tip(stage, 6))
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
        await stage.until(tip(stage, 51))
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
        await stage.until(tip(stage, 1))
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
        await stage.until(tip(stage, 4))
        expect(actor.news.filter(({ kind }) => kind === 'resumed')).toHaveLength(1)
      }))
  })

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
