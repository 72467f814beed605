import { isDeepStrictEqual } from 'node:util'
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
  /** What an operator does on the dashboard, as soon as the job stands there. */
  retryNow(id: string): Promise<void>
  /** Waits until a held key stands on the dashboard. */
  untilHeld(id: string): Promise<void>
  /** Ids of what is planned or held. */
  planned(): Promise<readonly string[]>
  /** Loses everything that the clock keeps. */
  lose(): Promise<void>
  close(): Promise<void>
}

/** Ticks before which a test has done all that it does beforehand, however slow the machine is just now. */
const unhurried = 40

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
    /** Answers reach the clock in their own time. */
    const untilPlanned = async (jobs: readonly RetryJob[]) => {
      const ids = jobs.map(retryId).toSorted()
      const planned = async () => (await subject.planned()).toSorted()
      for (let tries = 0; !isDeepStrictEqual(await planned(), ids) && tries < 400; tries++)
        await subject.pass(subject.tickMs)
      expect(await planned()).toEqual(ids)
    }

    test('says that a retry is due at its time, and names the head', async () => {
      listen()
      heard.answer = 'stale'
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
      heard.answer = 'stale'
      const job = inTicks(unhurried)
      for (let turn = 0; turn < 3; turn++) await subject.clock.schedule(job)
      expect(await subject.planned()).toEqual([retryId(job)])
      await untilHeard(1)
      await subject.pass(subject.tickMs * 4)
      expect(heard.all).toHaveLength(1)
    })

    test('another time moves it, to later and to earlier', async () => {
      listen()
      heard.answer = 'stale'
      const job = inTicks(unhurried)
      await subject.clock.schedule(job)
      const laterMs = job.dueMs + subject.tickMs * 6
      await subject.clock.schedule({ ...job, dueMs: laterMs, attempt: 2 })
      const far = inTicks(100_000, { key: 'far' })
      await subject.clock.schedule(far)
      await subject.clock.schedule({ ...far, dueMs: laterMs })
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
      heard.answer = 'stale'
      const far = variants.map((more) => inTicks(100_000, more))
      for (const job of far) await subject.clock.schedule(job)
      expect(await subject.planned()).toHaveLength(variants.length)
      for (const job of far) await subject.clock.schedule({ ...job, dueMs: subject.now() + subject.tickMs })
      await untilHeard(variants.length)
      await untilPlanned([])
      expect(new Set(heard.all.map(({ ref }) => retryId(ref))).size).toBe(variants.length)
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
      await untilPlanned([])
      expect(new Set(heard.all.map(({ by }) => by))).toEqual(new Set(['clock']))
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
      const job = inTicks(unhurried)
      await subject.clock.schedule(job)
      await subject.clock.cancel(retryId(job))
      await subject.clock.cancel(retryId(job))
      await subject.clock.cancel('unheard-of')
      expect(await subject.planned()).toEqual([])
      await subject.pass(subject.tickMs * (unhurried + 2))
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
      await subject.untilHeld(retryId(held))
      await subject.retryNow(retryId(held))
      await untilHeard(1)
      await subject.clock.schedule({ ...held, attempt: 9 })
      await subject.untilHeld(retryId(held))
      const { length } = heard.all
      await subject.pass(subject.tickMs * 6)
      expect(heard.all).toHaveLength(length)
      await subject.retryNow(retryId(held))
      await untilHeard(length + 1)
      expect(await subject.planned()).toEqual([retryId(held)])
      const byClock = () => heard.all.filter(({ by }) => by === 'clock')
      expect(byClock()).toEqual([])
      heard.answer = 'stale'
      await subject.clock.schedule({
        ...held,
        held: false,
        dueMs: subject.now() + subject.tickMs,
        attempt: 10,
      })
      for (let tries = 0; byClock().length === 0 && tries < 400; tries++) await subject.pass(subject.tickMs)
      expect(byClock()).toHaveLength(1)
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
      await subject.untilHeld(retryId(job))
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
      for (const job of jobs.slice(20)) await subject.untilHeld(retryId(job))
      expect(await subject.clock.sweep(jobs)).toBe(0)
      await subject.lose()
      expect(await subject.planned()).toEqual([])
      const dueMs = subject.now() + 3 * subject.tickMs
      const anew = jobs.map((job, at) => (at < 19 ? { ...job, dueMs } : job))
      expect(await subject.clock.sweep(anew)).toBe(21)
      await untilHeard(19)
      await untilPlanned(jobs.slice(19))
      expect(new Set(heard.all.map(({ ref }) => ref.key)).size).toBe(19)
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
