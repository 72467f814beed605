import { describe, expect, test } from 'vitest'
import { Latch, playOn, type Stage } from '../../contract/stage.ts'
import type { ConsumerEvent } from '../../consumer-event.ts'
import type { GroupPartition } from '../../group-store.ts'
import { run, type Running } from '../../engine/run.ts'
import { processor } from '../../model/processor.ts'
import type { StoriesUnderTest } from './stories-contract.ts'

/** What a running processor tells of its events: nothing of what is ordinary, and of the rest every step. */
export function describeTelling(subject: () => StoriesUnderTest): void {
  const onStage = playOn(subject)
  const at = ({ topic }: Stage): GroupPartition => ({ topic, partition: 0, group: 'readers' })
  const factsOf = async (stage: Stage, ...seqs: readonly number[]) =>
    Object.fromEntries(await subject().stories.facts(at(stage), seqs))

  describe('a running processor', () => {
    test('tells nothing of what succeeds at once, but when it was settled', () =>
      onStage(async (stage) => {
        await stage.append('a', 'b', 'c')
        const actor = await stage.start()
        await stage.until(() =>
          actor.news.some((news) => news.kind === 'progress' && news.position.seq === 3),
        )
        expect(await factsOf(stage, 1, 2, 3)).toEqual({})
        const spans = await subject().stories.settledSpans(at(stage), [3, 4])
        expect([...spans.keys()]).toEqual([3])
        expect(spans.get(3)?.by.atMs).toBeGreaterThan(0)
      }))

    test('tells of every failed attempt, of waiting, and of the attempt that succeeds', () =>
      onStage(async (stage) => {
        await stage.append('a', 'b')
        const actor = await stage.start(({ position }, { attempt }) => {
          if (position.seq === 1 && attempt <= 3) throw new Error(`no answer for ada@example.org, ${attempt}`)
        })
        await stage.until(() => stage.done.some(({ seq }) => seq === 1))
        await actor.running.stop()
        const { 1: facts = [], ...others } = await factsOf(stage, 1, 2)
        expect(others).toEqual({})
        expect(facts.filter(({ what }) => what === 'attempt')).toMatchObject(
          [1, 2, 3].map((no) => ({ no, error: `no answer for a***@example.org, ${no}` })),
        )
        expect(facts.map(({ what }) => what)).toContain('parked')
        expect(facts.at(-1)).toMatchObject({ what: 'done', attempt: 4, origin: 'line' })
      }))

    test('tells of a dead letter with its last attempt', () =>
      onStage(async (stage) => {
        await stage.append('a')
        const actor = await stage.start(
          () => {
            throw new Error('broken')
          },
          { kindOf: () => 'permanent' },
        )
        await stage.until(() =>
          actor.news.some((news) => news.kind === 'progress' && news.position.seq === 1),
        )
        expect((await factsOf(stage, 1))[1]).toMatchObject([
          { what: 'attempt', no: 1, error: 'broken' },
          { what: 'dead', attempts: 1, reason: 'internal', message: 'broken' },
        ])
      }))

    test('a commit that is lost with its member tells nothing: the next owner does', () =>
      onStage(async (stage) => {
        await stage.append('a')
        const first = new Latch()
        const lost = await stage.start(async (_event, { attempt }) => {
          if (attempt === 1) throw new Error('once')
          await first.pass(() => stage.changed())
        })
        await stage.until(() => first.waiting > 0)
        lost.store.cut()
        first.open()
        expect(await factsOf(stage, 1)).toEqual({})
        await lost.running.stop()
        subject().advance(60_000)
        const next = await stage.start(({ position }, { attempt }) => {
          if (attempt === 1) throw new Error(`again ${position.seq}`)
        })
        await stage.until(() => next.news.some((news) => news.kind === 'progress' && news.position.seq === 1))
        const facts = (await factsOf(stage, 1))[1] ?? []
        expect(facts.filter(({ what }) => what === 'attempt')).toMatchObject([{ error: 'again 1' }])
        expect(facts.filter(({ what }) => what === 'done')).toHaveLength(1)
      }))

    test('tells what handlers say, masked and bounded', () =>
      onStage(async (stage) => {
        await stage.append('a')
        const news: ConsumerEvent[] = []
        const talker = processor('readers', stage.topic, {
          handle: (_event, context) => {
            context.note('mail sent to ada@example.org', { messageId: '<e1@host>', bytes: 12 })
          },
        })
        const running: Running = await run(talker, {
          log: subject().log,
          store: subject().store,
          commitMs: 5,
          observe: (one) => {
            news.push(one)
            stage.changed()
          },
        })
        await stage.until(() => news.some((one) => one.kind === 'progress' && one.position.seq === 1))
        await running.stop()
        expect((await factsOf(stage, 1))[1]).toMatchObject([
          {
            what: 'done',
            attempt: 1,
            notes: [
              { text: 'mail sent to a***@example.org', details: { messageId: '<e1@host>', bytes: 12 } },
            ],
          },
        ])
      }))
  })
}
