import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DueAnswer, DueBy, RetryClock, RetryJob, RetryRef } from '../retry-clock.ts'
import { retryId } from '../retry-id.ts'

/** A clock to put through its paces, and what a test turns around it. */
export interface RetryClockUnderTest {
  readonly clock: RetryClock
  now(): number
  /** A short time in ms; asking again for what is due takes two of them, whatever the answer. */
  readonly tickMs: number
  /** Lets time pass: virtual or real. */
  pass(ms: number): Promise<void>
  /** What an operator does on the dashboard. */
  retryNow(id: string): Promise<void>
  /** Ids of what is planned or held. */
  planned(): Promise<readonly string[]>
  /** Loses everything that the clock keeps. */
  lose(): Promise<void>
  close(): Promise<void>
}

/** What every clock of retries must do. Call it in a test file of the adapter. */
export function describeRetryClock(name: string, open: () => Promise<RetryClockUnderTest>): void {
  describe(`a clock of retries: ${name}`, () => {
    let subject: RetryClockUnderTest
    let heard: Heard
    beforeEach(async () => {
      subject = await open()
      heard = new Heard()
    })
    afterEach(() => subject.close())
    const listen = () => subject.clock.onDue((ref, by) => heard.take(ref, by))
    const inTicks = (ticks: number, more: Partial<RetryJob> = {}) =>
      jobOf({ dueMs: subject.now() + ticks * subject.tickMs, ...more })
    const untilHeard = async (count: number) => {
      for (let tries = 0; heard.all.length < count && tries < 400; tries++) await subject.pass(subject.tickMs)
      expect(heard.all.length).toBeGreaterThanOrEqual(count)
    }

    test('says that a retry is due at its time, and names the head', async () => {
      listen()
      const job = inTicks(4)
      await subject.clock.schedule(job)
      await untilHeard(1)
      const { topic, partition, group, generation, key, parkNo, head } = job
      expect(heard.all).toEqual([
        { ref: { topic, partition, group, generation, key, parkNo, head }, by: 'clock' },
      ])
      expect(subject.now()).toBeGreaterThanOrEqual(job.dueMs)
    })

    test('planning the same again changes nothing', async () => {
      listen()
      const job = inTicks(3)
      for (let turn = 0; turn < 3; turn++) await subject.clock.schedule(job)
      expect(await subject.planned()).toEqual([retryId(job)])
      heard.answer = 'stale'
      await untilHeard(1)
      await subject.pass(subject.tickMs * 4)
      expect(heard.all).toHaveLength(1)
    })

    test('another time moves it, to later and to earlier', async () => {
      listen()
      const job = inTicks(2)
      await subject.clock.schedule(job)
      const laterMs = job.dueMs + subject.tickMs * 6
      await subject.clock.schedule({ ...job, dueMs: laterMs, attempt: 2 })
      const far = inTicks(100_000, { key: 'far' })
      await subject.clock.schedule(far)
      await subject.clock.schedule({ ...far, dueMs: laterMs })
      heard.answer = 'stale'
      await untilHeard(2)
      expect(subject.now()).toBeGreaterThanOrEqual(laterMs)
      expect(heard.all.map(({ ref }) => ref.key).toSorted()).toEqual(['far', 'k'])
    })

    test('what failed again is planned anew while its clock has not yet heard the end of it', async () => {
      listen()
      const job = inTicks(1)
      let again: Promise<void> | undefined
      heard.whenAsked = () => {
        heard.whenAsked = undefined
        // The owner is quicker than the answer: it has run the head, and it failed again.
        again = subject.clock.schedule({ ...job, dueMs: subject.now() + subject.tickMs, attempt: 2 })
      }
      await subject.clock.schedule(job)
      await untilHeard(1)
      await again
      heard.answer = 'stale'
      await untilHeard(2)
      expect(heard.all[1]?.ref).toMatchObject({ key: 'k', parkNo: 1 })
    })

    test('heads are told apart: by number, partition, generation and key', async () => {
      listen()
      const variants = [{}, { parkNo: 2 }, { partition: 3 }, { generation: 1 }, { key: 'other:key @x' }]
      for (const more of variants) await subject.clock.schedule(inTicks(1, more))
      expect(await subject.planned()).toHaveLength(variants.length)
      heard.answer = 'stale'
      await untilHeard(variants.length)
      await subject.pass(subject.tickMs * 2)
      expect(await subject.planned()).toEqual([])
    })

    test('asks again for what is neither planned anew nor forgotten', async () => {
      listen()
      await subject.clock.schedule(inTicks(1))
      await untilHeard(1)
      heard.answer = 'already'
      await untilHeard(3)
      heard.answer = 'stale'
      const { length } = heard.all
      await untilHeard(length + 1)
      await subject.pass(subject.tickMs * 3)
      expect(await subject.planned()).toEqual([])
    })

    test('asks again when nobody could be asked', async () => {
      listen()
      heard.fail = 2
      heard.answer = 'stale'
      await subject.clock.schedule(inTicks(1))
      await untilHeard(3)
      expect(new Set(heard.all.map(({ ref }) => ref.key))).toEqual(new Set(['k']))
    })

    test('what is cancelled does not come due; cancelling what is gone is no mistake', async () => {
      listen()
      const job = inTicks(3)
      await subject.clock.schedule(job)
      await subject.clock.cancel(retryId(job))
      await subject.clock.cancel(retryId(job))
      await subject.clock.cancel('unheard-of')
      expect(await subject.planned()).toEqual([])
      await subject.pass(subject.tickMs * 5)
      expect(heard.all).toEqual([])
    })

    test('a held key never comes due by itself, only when an operator asks', async () => {
      listen()
      const job = inTicks(1, { held: true })
      await subject.clock.schedule(job)
      await subject.clock.schedule(job)
      await subject.pass(subject.tickMs * 5)
      expect(heard.all).toEqual([])
      expect(await subject.planned()).toEqual([retryId(job)])
      heard.answer = 'stale'
      await subject.retryNow(retryId(job))
      await untilHeard(1)
      expect(heard.all).toMatchObject([{ by: 'operator', ref: { key: 'k', head: 7 } }])
    })

    test('a head is held, requeued, held again and planned: always the one job', async () => {
      listen()
      const held = inTicks(1, { held: true })
      await subject.clock.schedule({ ...held, held: false, dueMs: subject.now() + 1e8 })
      await subject.clock.schedule(held)
      await subject.pass(subject.tickMs * 2)
      await subject.retryNow(retryId(held))
      await untilHeard(1)
      await subject.clock.schedule({ ...held, attempt: 9 })
      await subject.pass(subject.tickMs * 6)
      expect(heard.all).toHaveLength(1)
      await subject.retryNow(retryId(held))
      await untilHeard(2)
      expect(await subject.planned()).toEqual([retryId(held)])
      heard.answer = 'stale'
      await subject.clock.schedule({
        ...held,
        held: false,
        dueMs: subject.now() + subject.tickMs,
        attempt: 10,
      })
      await untilHeard(3)
      expect(heard.all.map(({ by }) => by)).toEqual(['operator', 'operator', 'clock'])
    })

    test('of what is asked at once of one head, the last word counts', async () => {
      listen()
      const job = inTicks(1e6)
      const asked = [
        subject.clock.schedule(job),
        subject.clock.schedule({ ...job, attempt: 2 }),
        subject.clock.cancel(retryId(job)),
        subject.clock.schedule({ ...job, attempt: 3 }),
        subject.clock.schedule({ ...job, attempt: 4, held: true }),
      ]
      await Promise.all(asked)
      await subject.pass(subject.tickMs * 4)
      heard.answer = 'stale'
      expect(await subject.clock.sweep([{ ...job, attempt: 4, held: true }])).toBe(0)
      await subject.retryNow(retryId(job))
      await untilHeard(1)
      expect(heard.all).toMatchObject([{ by: 'operator' }])
    })

    test('an operator need not wait for the time of a retry', async () => {
      listen()
      const job = inTicks(100_000)
      await subject.clock.schedule(job)
      heard.answer = 'stale'
      await subject.retryNow(retryId(job))
      await untilHeard(1)
      expect(heard.all).toMatchObject([{ by: 'operator' }])
    })

    test('a sweep brings back all that was lost, and leaves the rest alone', async () => {
      listen()
      heard.answer = 'stale'
      const jobs = Array.from({ length: 20 }, (_, at) => inTicks(1e6, { key: `k${at}` }))
      jobs.push(inTicks(0, { key: 'held', held: true }))
      expect(await subject.clock.sweep(jobs)).toBe(21)
      // The held one is shown by a run of its own.
      await subject.pass(subject.tickMs * 5)
      expect(await subject.clock.sweep(jobs)).toBe(0)
      await subject.lose()
      expect(await subject.planned()).toEqual([])
      const dueMs = subject.now() + 3 * subject.tickMs
      const anew = jobs.map((job, at) => (at < 19 ? { ...job, dueMs } : job))
      expect(await subject.clock.sweep(anew)).toBe(21)
      await untilHeard(19)
      await subject.pass(subject.tickMs * 5)
      expect(new Set(heard.all.map(({ ref }) => ref.key)).size).toBe(19)
      expect((await subject.planned()).toSorted()).toEqual(jobs.slice(19).map(retryId).toSorted())
    })
  })
}

/** A head of a parked key. */
function jobOf(more: Partial<RetryJob> & { readonly dueMs: number }): RetryJob {
  return {
    topic: 'orders',
    partition: 0,
    group: 'bill',
    generation: 0,
    key: 'k',
    parkNo: 1,
    head: 7,
    attempt: 1,
    story: { type: 'Placed', eventId: 'e1', correlationId: 'c1', reason: 'internal', error: 'broken' },
    ...more,
  }
}

/** Who is asked, and what he answers. */
class Heard {
  readonly all: { readonly ref: RetryRef; readonly by: DueBy }[] = []
  answer: DueAnswer = 'due'
  /** How many times nobody can be asked. */
  fail = 0
  whenAsked: (() => void) | undefined

  take(ref: RetryRef, by: DueBy): Promise<DueAnswer> {
    this.all.push({ ref, by })
    this.whenAsked?.()
    this.fail -= 1
    return this.fail >= 0 ? Promise.reject(new Error('The store is away')) : Promise.resolve(this.answer)
  }
}
