import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import type { KeptElsewhere, TakenLease } from '../kept-elsewhere.ts'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { completed, Latch, leaseMs, playOn } from './stage.ts'

/** Data that a handler keeps outside of the group's record. */
export function describeElsewhere(subject: () => GroupStoreUnderTest): void {
  const onStage = playOn(subject)

  describe('data elsewhere', () => {
    test('are brought to where the group stands before the first event, and told what is settled beyond', () =>
      onStage(async (stage) => {
        await stage.append('bad', 'a', 'b')
        const first = await stage.start(
          ({ event }, { signal }) => (event.subject === 'bad' ? whenAborted(signal) : undefined),
          { stopMs: 10 },
        )
        await stage.until(() => stage.done.length === 2 && first.store.commits.length > 0)
        await first.running.stop()
        const taken: TakenLease[] = []
        const before: number[] = []
        await stage.start(undefined, {
          elsewhere: {
            taken: async (lease) => {
              before.push(stage.done.length)
              taken.push(lease)
            },
            holds: async () => true,
          },
        })
        await stage.until(completed(stage, 3))
        expect(taken).toMatchObject([{ partition: 0, position: { seq: 0 }, ahead: [2, 3] }])
        expect(before).toEqual([2])
      }))

    test('that are not those which the partition was begun with any more make it begin anew', () =>
      onStage(async (stage) => {
        const tokens: string[] = []
        let right = true
        const elsewhere: KeptElsewhere = {
          taken: async ({ token }) => {
            right = true
            tokens.push(token)
          },
          holds: async ({ token }) => right && token === tokens.at(-1),
        }
        await stage.append('a')
        const actor = await stage.start(undefined, { elsewhere, leaseMs: 30 })
        await stage.until(completed(stage, 1))
        right = false
        await stage.until(() => tokens.length === 2)
        await stage.append('a')
        await stage.until(completed(stage, 2))
        const ends = actor.news.flatMap((one) => (one.kind === 'ended' ? [one.reason] : []))
        expect(ends).toEqual(['restart'])
      }))

    test('that take their time do not cost the lease; a stop does not wait for them', () =>
      onStage(async (stage) => {
        await stage.append('a')
        const latch = new Latch()
        const signals: AbortSignal[] = []
        const elsewhere: KeptElsewhere = {
          taken: async (_, signal) => {
            signals.push(signal)
            await Promise.race([latch.pass(() => stage.changed()), whenAborted(signal)])
          },
          holds: async () => true,
        }
        const short = 60
        const actor = await stage.start(undefined, { elsewhere, leaseMs: short })
        await stage.until(() => latch.waiting === 1)
        const { untilMs } = await stage.look()
        subject().advance(short / 2)
        // Nobody tells of a renewal.
        while ((await stage.look()).untilMs === untilMs)
          await new Promise((resolve) => setTimeout(resolve, 5))
        await actor.running.stop()
        expect(signals[0]?.aborted).toBe(true)
        expect((await stage.look()).untilMs).toBe(0)
        expect(stage.done).toEqual([])
      }))

    test('that cannot be reached give the lease back, and it is tried again', () =>
      onStage(async (stage) => {
        await stage.append('a')
        let tries = 0
        const actor = await stage.start(undefined, {
          leaseMs: leaseMs / 20,
          elsewhere: {
            taken: async () => {
              tries += 1
              if (tries < 3) throw new MillraceError('service.unavailable')
            },
            holds: async () => true,
          },
        })
        await stage.until(completed(stage, 1))
        expect(actor.news.filter(({ kind }) => kind === 'trouble')).toHaveLength(2)
        expect(tries).toBe(3)
      }))
  })
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
  })
}
