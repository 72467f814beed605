import { freshId, type Topic } from '@millrace/event'
import { beginning, type Position } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type IndexBatch, indexBounds, type RequestFact, type StoryIndex } from '../story-index.ts'

/** An index to put through the suite. */
export interface StoryIndexUnderTest {
  readonly index: StoryIndex
  /** Turns its clock. */
  advance(ms: number): void
  close(): Promise<void>
}

const request = (correlationId: string, more: Partial<RequestFact> = {}): RequestFact => ({
  correlationId,
  atMs: 1_700_000_000_000,
  service: 'gateway',
  method: 'POST',
  route: '/users',
  status: 201,
  tookMs: 12.5,
  ...more,
})

/** What every index of stories must do. Call it in a test file of the adapter. */
export function describeStoryIndexContract(name: string, open: () => Promise<StoryIndexUnderTest>): void {
  describe(`the contract of the story index on ${name}`, () => {
    let opened: StoryIndexUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    const subject = () => {
      if (!opened) throw new Error('The index under test is not open')
      return opened
    }

    /** A topic of its own, and batches of it. */
    function scene() {
      const topic: Topic = testTopic({ partitions: 2 })
      const at = (seq: number, partition = 1): Position => ({
        topic: topic.name,
        partition,
        id: `1700000000000-${seq}`,
        seq,
      })
      const batch = (
        from: number,
        ...events: readonly (readonly [id: string, correlation: string])[]
      ): IndexBatch => ({
        partition: 1,
        from: from === 0 ? beginning : at(from).id,
        to: at(from + events.length).id,
        events: events.map(([eventId, correlationId], place) => ({
          eventId,
          correlationId,
          position: at(from + place + 1),
        })),
      })
      const under = subject()
      return { topic, at, batch, index: under.index, advanceBy: (ms: number) => under.advance(ms) }
    }

    test('finds events by correlation id and by their own, in the order of the log', async () => {
      const { topic, at, batch, index } = scene()
      const [one, two, other] = [freshId(), freshId(), freshId()]
      const ids = [freshId(), freshId(), freshId(), freshId()]
      const [a = '', b = '', c = '', d = ''] = ids
      expect(await index.note(topic, batch(0, [a, one], [b, two], [c, one]))).toBe('noted')
      expect(await index.note(topic, batch(3, [d, one]))).toBe('noted')
      expect(await index.correlated(one)).toEqual({
        positions: [at(1), at(3), at(4)],
        beyond: 0,
        requests: [],
      })
      expect(await index.placesOf(b)).toEqual([at(2)])
      expect(await index.correlated(other)).toEqual({ positions: [], beyond: 0, requests: [] })
      expect(await index.placesOf(other)).toEqual([])
    })

    test('says how far it goes, and takes in what comes next and nothing else', async () => {
      const { topic, at, batch, index } = scene()
      const [correlation, lost] = [freshId(), freshId()]
      expect(await index.cursors(topic)).toEqual(new Map())
      await index.note(topic, batch(0, [freshId(), correlation]))
      expect(await index.note(topic, batch(0, [freshId(), lost]))).toBe('moved')
      expect(await index.note(topic, batch(2, [freshId(), lost]))).toBe('moved')
      expect(await index.cursors(topic)).toEqual(new Map([[1, at(1).id]]))
      expect(await index.correlated(lost)).toMatchObject({ positions: [] })
    })

    test('begins where it is told to', async () => {
      const { topic, at, batch, index } = scene()
      const correlation = freshId()
      expect(await index.note(topic, batch(7, [freshId(), correlation]))).toBe('noted')
      expect(await index.cursors(topic)).toEqual(new Map([[1, at(8).id]]))
    })

    test('keeps every place of an id that several sources use', async () => {
      const { topic, at, batch, index } = scene()
      const id = freshId()
      await index.note(topic, batch(0, [id, freshId()], [id, freshId()]))
      await index.note(topic, batch(2, [id, freshId()]))
      expect(await index.placesOf(id)).toEqual([at(1), at(2), at(3)])
    })

    test('counts what is beyond a thousand events of one correlation id', async () => {
      const { topic, at, batch, index } = scene()
      const correlation = freshId()
      const many = Array.from({ length: 600 }, () => [freshId(), correlation] as const)
      await index.note(topic, batch(0, ...many))
      await index.note(topic, batch(600, ...many))
      const { positions, beyond } = await index.correlated(correlation)
      expect([positions.length, beyond]).toEqual([indexBounds.positions, 200])
      expect(positions.at(-1)).toEqual(at(indexBounds.positions))
    })

    test('tells requests by correlation id: the latest that fit', async () => {
      const { index } = subject()
      const [one, two] = [freshId(), freshId()]
      await index.noteRequests([request(one), request(two, { status: 409 })])
      await index.noteRequests([request(one, { service: 'user-command', route: '/users/:id "ü" \\' })])
      const { requests } = await index.correlated(one)
      expect(requests.map((told) => ({ correlationId: one, ...told }))).toEqual([
        request(one),
        request(one, { service: 'user-command', route: '/users/:id "ü" \\' }),
      ])
      await index.noteRequests(Array.from({ length: 100 }, (_none, at) => request(two, { atMs: at })))
      const kept = (await index.correlated(two)).requests
      expect(kept.map(({ atMs }) => atMs)).toEqual(
        Array.from({ length: kept.length }, (_none, at) => 100 - kept.length + at),
      )
      expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(indexBounds.requestBytes + 1)
      await index.noteRequests([])
    })

    test('forgets after two windows, and not before one', async () => {
      const { topic, batch, index, advanceBy } = scene()
      const [first, second] = [freshId(), freshId()]
      await index.note(topic, batch(0, [freshId(), first]))
      await index.noteRequests([request(first)])
      for (const [known, seq] of [
        [1, 1],
        [0, 2],
      ] as const) {
        advanceBy(indexBounds.windowMs)
        await index.note(topic, batch(seq, [freshId(), second]))
        await index.noteRequests([request(second)])
        const { positions, requests } = await index.correlated(first)
        expect([positions.length, requests.length]).toEqual([known, known])
      }
      expect((await index.correlated(second)).positions).toHaveLength(2)
    })
  })
}
