import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Commit } from '../../commit.ts'
import { type GroupStoreUnderTest, LeasedGroup } from '../../contract/group-fixture.ts'
import { intent, letter } from '../../contract/parts.ts'
import type { Stories } from '../stories.ts'
import { type NotedFact, storyBounds, type StoryFact } from '../story-fact.ts'
import { describeTelling } from './telling.ts'

/** A group store, and what tells of its events. */
export interface StoriesUnderTest extends GroupStoreUnderTest {
  readonly stories: Stories
}

const atMs = 1_700_000_000_000

const attempt = (no: number, error = 'mail.temporary: "Zoë" \\ is not there'): StoryFact => ({
  what: 'attempt',
  atMs: atMs + no,
  no,
  tookMs: 3,
  member: 'one',
  error,
})
const done: StoryFact = {
  what: 'done',
  atMs: atMs + 9,
  member: 'one',
  attempt: 3,
  notes: [{ atMs, text: 'mail sent', details: { messageId: '<e1@host>', bytes: 12 } }],
}
const of = (seq: number, ...facts: readonly StoryFact[]): readonly NotedFact[] =>
  facts.map((fact) => ({ seq, fact }))

/** What every store of stories must do, whatever it is made of. Call it in a test file of the adapter. */
export function describeStoriesContract(name: string, open: () => Promise<StoriesUnderTest>): void {
  describe(`the contract of stories on ${name}`, () => {
    let opened: StoriesUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    describeTelling(() => {
      if (!opened) throw new Error('The store under test is not open')
      return opened
    })
    const group = async (...keys: readonly string[]) => {
      if (!opened) throw new Error('The store under test is not open')
      const { stories } = opened
      const leased = await LeasedGroup.open(opened, ...keys)
      return Object.assign(leased, {
        facts: async (...seqs: readonly number[]) => Object.fromEntries(await stories.facts(leased.at, seqs)),
        spans: async (...seqs: readonly number[]) =>
          Object.fromEntries(await stories.settledSpans(leased.at, seqs)),
        effects: async (...ids: readonly string[]) => stories.openEffects(leased.at, ids),
      })
    }

    test('facts are found by event, in the order of the commits that brought them', async () => {
      const { commit, facts } = bound(await group('a', 'b', 'c'))
      await commit(1, { facts: [...of(1, attempt(1)), ...of(2, attempt(1)), ...of(1, attempt(2))] })
      await commit(2, { facts: of(1, done) })
      expect(await facts(1, 2, 3)).toEqual({ 1: [attempt(1), attempt(2), done], 2: [attempt(1)] })
      expect(await facts()).toEqual({})
    })

    test('what a commit tells is there if and only if the commit is', async () => {
      const held = await group('a', 'b')
      const { commit, facts } = bound(held)
      const settled = { atMs, member: 'one', anyway: true } as const
      const first = held.next(1, { facts: of(1, attempt(1)), settled })
      for (const status of ['committed', 'already'])
        expect((await held.store.commit(held.at, first)).status).toBe(status)
      held.n += 1
      await expect(commit(1, { done: 7, facts: of(1, done) })).rejects.toThrow(/events done/)
      const stale = held.next(2, { facts: of(1, done), settled })
      await held.take('one')
      expect((await held.store.commit(held.at, stale)).status).toBe('fenced')
      expect(await facts(1)).toEqual({ 1: [attempt(1)] })
      expect(await held.spans(1, 2)).toEqual({ 1: { after: undefined, by: { atMs, member: 'one' } } })
    })

    test('a mark tells when ordinary events were settled: behind the one before, by the one that has them', async () => {
      const { commit, spans } = bound(await group('a', 'b', 'c', 'd', 'e'))
      await commit(1, { settled: { atMs, member: 'one', anyway: true } })
      await commit(2)
      await commit(3, { settled: { atMs: atMs + 3, member: 'not at the end' } })
      await commit(4, { ahead: [5], settled: { atMs: atMs + 5, member: 'two of us' } })
      const [before, by] = [
        { atMs, member: 'one' },
        { atMs: atMs + 5, member: 'two of us' },
      ]
      expect(await spans(1, 2, 4, 5)).toEqual({
        1: { after: undefined, by: before },
        2: { after: before, by },
        4: { after: before, by },
      })
    })

    test('of one event the latest facts are kept that fit, whole', async () => {
      const { commit, facts } = bound(await group('a'))
      const long = 'ü'.repeat(storyBounds.bytes / 16)
      const all = Array.from({ length: 20 }, (_, at) => attempt(at, long))
      await commit(0, { facts: of(1, ...all.slice(0, 15)) })
      await commit(0, { facts: of(1, ...all.slice(15)) })
      const kept = (await facts(1))[1] ?? []
      expect(kept).toEqual(all.slice(-kept.length))
      const size = Buffer.byteLength(kept.map((fact) => JSON.stringify(fact)).join('\n'))
      expect(size).toBeLessThanOrEqual(storyBounds.bytes)
      expect(size).toBeGreaterThan(storyBounds.bytes / 2)
    })

    test('a story is forgotten seven days after its last fact', async () => {
      const held = await group('a', 'b')
      const { commit, facts } = bound(held)
      await commit(0, { facts: [...of(1, attempt(1)), ...of(2, attempt(1))] })
      held.subject.advance(storyBounds.keptMs - 10)
      await held.take()
      await commit(0, { facts: of(2, attempt(2)) })
      held.subject.advance(20)
      await held.take()
      await commit(0, { facts: of(2, attempt(3)) })
      expect(await facts(1, 2)).toEqual({ 2: [attempt(1), attempt(2), attempt(3)] })
    })

    test('more stories than are kept push out those that were told longest ago', async () => {
      const held = await group('a')
      const { commit, facts } = bound(held)
      const { stories, facts: most } = storyBounds
      for (let from = 1; from <= stories; from += most) {
        const seqs = Array.from({ length: Math.min(most, stories + 1 - from) }, (_, at) => from + at)
        await commit(0, { facts: seqs.flatMap((seq) => of(seq, attempt(1))) })
        held.subject.advance(1)
      }
      await held.take()
      await commit(0, { facts: [...of(stories + 1, attempt(1)), ...of(stories + 2, attempt(1))] })
      const kept = await facts(1, 10, 100, 1_000, most + 1, stories, stories + 1, stories + 2)
      // Of those that were told at one time, the first ones by their names.
      expect(Object.keys(kept).map(Number)).toEqual([100, 1_000, most + 1, stories, stories + 1, stories + 2])
    })

    test('nothing is kept of a generation that is built, nor of an ephemeral group', async () => {
      const held = await group('a')
      for (const other of [{ generation: 1 }, { group: 'for-a-while', expireMs: 60_000 }]) {
        const at = { ...held.at, ...other }
        const lease = await held.store.acquire(at, 'one', 10_000)
        const commit: Commit = { ...held.next(1), token: lease?.token ?? '', n: 1, facts: of(1, done) }
        expect((await held.store.commit(at, commit)).status).toBe('committed')
        expect(await held.facts(1)).toEqual({})
      }
    })

    test('a ruling is told with what it was on, and told once', async () => {
      const held = await group('a')
      await held.commit(1, { dead: [{ ...letter(1, held.positions[0]?.id), key: 'a' }] })
      const said = {
        id: 'r1',
        seq: 1,
        key: 'a',
        kind: 'requeued',
        by: 'ada@example.org',
        reason: 'mended',
      } as const
      for (const status of ['ruled', 'already'])
        expect(await held.store.rule(held.at, said)).toMatchObject({ status })
      const told = {
        what: 'ruled',
        kind: 'requeued',
        on: 'dead',
        by: 'a***@example.org',
        reason: 'mended',
        id: 'r1',
      }
      expect(await held.facts(1)).toEqual({ 1: [{ ...told, atMs: expect.any(Number) as number }] })
    })

    test('what became of an effect is told by the change that was made, and by no other', async () => {
      const held = await group('a')
      await held.commit(1, { effects: [intent('x', 'a', 1)] })
      const fact: NotedFact = {
        seq: 1,
        fact: {
          ...{
            what: 'effect-ended',
            atMs,
            member: 'one',
            name: 'quote',
            idempotencyKey: 'x',
            to: 'confirmed',
          },
          ...{ attempts: 2, tookMs: 7, error: 'away: "Zoë" \\' },
        },
      }
      const change = { idempotencyKey: 'x', turn: 0, to: 'confirmed', fact } as const
      for (const [turn, result] of [
        [1, 'stale'],
        [0, 'moved'],
        [0, 'already'],
      ] as const)
        expect(await held.store.confirmEffects(held.at, held.token, [{ ...change, turn }])).toEqual([result])
      expect(await held.facts(1)).toEqual({ 1: [fact.fact] })
    })

    test('open effects are found by their keys', async () => {
      const held = await group('a')
      await held.commit(1, { effects: [intent('x'), intent('y')] })
      await held.store.confirmEffects(held.at, held.token, [
        { idempotencyKey: 'y', turn: 0, to: 'confirmed' },
      ])
      const open = await held.effects('x', 'y', 'z')
      expect([...open.keys()]).toEqual(['x'])
      expect(open.get('x')).toMatchObject({ idempotencyKey: 'x', status: 'pending', name: 'quote' })
    })
  })
}

type Held = LeasedGroup & {
  facts(...seqs: readonly number[]): Promise<Readonly<Record<number, readonly StoryFact[]>>>
  spans(...seqs: readonly number[]): Promise<unknown>
}

function bound(held: Held) {
  return {
    commit: (seq: number, parts: Partial<Commit> = {}) => held.commit(seq, parts),
    facts: (...seqs: readonly number[]) => held.facts(...seqs),
    spans: (...seqs: readonly number[]) => held.spans(...seqs),
  }
}
