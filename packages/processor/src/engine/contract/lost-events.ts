import { type Event, MillraceError, newEvent } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { type EngineUnderTest, type Scene, sceneOf } from './scene.ts'

const order = { by: 'ada', reason: 'it is gone' } as const
const bounds = { attempts: 2, quickRetries: 0, retry: { firstMs: 1, maxMs: 1 } }

/** Events of lines, and late letters, that the log cannot give a second time: nobody else is held up by them. */
export function describeLostEvents(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  /** Notes the numbers that it sees; the first attempt of those from `slow` on fails, so that their keys are parked. */
  const notes = (stage: Scene, onExhausted: 'hold-key' | 'skip-event', slow: readonly number[] = [1]) => {
    const failing = new Set(slow)
    return processor('notes', stage.source, {
      state: state<readonly number[]>({ initial: () => [] }),
      onExhausted,
      handle: (event, context) => {
        if (failing.delete(event.data.n)) throw new Error('away')
        context.evolve([...context.state, event.data.n])
      },
    })
  }

  const ignore = (stage: Scene, seq: number, key: string) =>
    stage.subject.store.rule(stage.at('notes'), { id: `i${seq}`, seq, key, kind: 'ignored', ...order })

  test('one in the middle of a line holds its key in its place, and nobody else; ignored, the line goes on', () =>
    scene(async (stage) => {
      const log = losing(stage.subject.log, (seq) => seq === 3)
      await stage.appendNumbered(['a', 'a', 'a', 'b', 'a'], 1)
      const { news } = await stage.start(notes(stage, 'hold-key'), { ...bounds, log })
      await stage.heldAt('notes', 'a', 3)
      const { items } = await stage.subject.store.parked(stage.at('notes'))
      expect(items).toMatchObject([{ lined: 1, note: { message: 'Event 3 has been removed' } }])
      expect(await stage.stateOf('notes', 'a')).toEqual([1, 2])
      expect(await ignore(stage, 3, 'a')).toMatchObject({ status: 'ruled' })
      await stage.unparked('notes')
      expect(await stage.stateOf('notes', 'a')).toEqual([1, 2, 5])
      expect(await stage.stateOf('notes', 'b')).toEqual([4])
      expect(news.filter(({ kind }) => kind === 'ended')).toEqual([])
      expect(await stage.differences('notes')).toEqual([])
    }))

  test('where keys are not held it is a dead letter in its place, and its line goes on', () =>
    scene(async (stage) => {
      const log = losing(stage.subject.log, (seq) => seq === 2 || seq === 4)
      await stage.appendNumbered(['a', 'a', 'a', 'a'], 1)
      const player = await stage.start(notes(stage, 'skip-event'), { ...bounds, log })
      await stage.reached(player, 4)
      await stage.unparked('notes')
      expect(await stage.stateOf('notes', 'a')).toEqual([1, 3])
      expect(await stage.subject.store.deadLetters(stage.at('notes'))).toMatchObject([
        { seq: 2, key: 'a', type: '(unreadable)', reason: 'log.trimmed' },
        { seq: 4, key: 'a' },
      ])
      expect(player.news.filter(({ kind }) => kind === 'ended')).toEqual([])
      expect(await stage.differences('notes')).toEqual([])
    }))

  test('one that the index of its key does not have is handled behind it; in the index of another it is none', () =>
    scene(async (stage) => {
      await stage.appendNumbered(['a', 'b'], 1)
      await leave(stage, 'b', { subject: 'a', data: { n: 3 } })
      await stage.appendNumbered(['b'], 4)
      const player = await stage.start(notes(stage, 'hold-key', [1, 2]), bounds)
      await stage.reached(player, 4)
      await stage.unparked('notes')
      expect(await stage.stateOf('notes', 'a')).toEqual([1, 3])
      expect(await stage.stateOf('notes', 'b')).toEqual([2, 4])
      expect(player.news.filter(({ kind }) => kind === 'ended')).toEqual([])
      expect(await stage.differences('notes')).toEqual([])
    }))

  test('those that do not say whose they are are held one after the other, until somebody ignores them', () =>
    scene(async (stage) => {
      const key = '(unreadable)'
      for (let at = 0; at < 2; at++) await leave(stage, 'a', { subject: '' })
      await stage.appendNumbered(['a'], 3)
      const player = await stage.start(notes(stage, 'hold-key'), bounds)
      await stage.reached(player, 3)
      for (const seq of [1, 2]) {
        await stage.heldAt('notes', key, seq)
        stage.subject.advance(5)
        expect(await ignore(stage, seq, key)).toMatchObject({ status: 'ruled' })
      }
      await stage.unparked('notes')
      expect(await stage.stateOf('notes', 'a')).toEqual([3])
      expect(player.news.filter(({ kind }) => kind === 'ended')).toEqual([])
      expect(await stage.differences('notes')).toEqual([])
    }))

  test('a head that does not say any more whose it is holds its key, and says so; ignored, the line goes on', () =>
    scene(async (stage) => {
      const log = spoiling(stage.subject.log, (seq) => seq === 1)
      await stage.appendNumbered(['a', 'a'], 1)
      const player = await stage.start(notes(stage, 'hold-key'), { ...bounds, log })
      await stage.heldAt('notes', 'a', 1)
      const { items } = await stage.subject.store.parked(stage.at('notes'))
      expect(items).toMatchObject([{ note: { message: 'Event 1 does not say any more whose it is' } }])
      expect(await ignore(stage, 1, 'a')).toMatchObject({ status: 'ruled' })
      await stage.unparked('notes')
      expect(await stage.stateOf('notes', 'a')).toEqual([2])
      expect(player.news.filter(({ kind }) => kind === 'ended')).toEqual([])
      expect(await stage.differences('notes')).toEqual([])
    }))

  test('a letter that is put back and not there any more is dead again, with the reason', () =>
    scene(async (stage) => {
      const { store, log: whole } = stage.subject
      const log = losing(whole, (seq) => seq === 1)
      await stage.appendNumbered(['a'], 1)
      const player = await stage.start(notes(stage, 'skip-event'), { ...bounds, attempts: 1, log })
      await stage.reached(player, 1)
      expect(await stage.deadSeqs('notes')).toEqual([1])
      const again = { id: 'r', seq: 1, key: 'a', kind: 'requeued', ...order } as const
      expect(await store.rule(stage.at('notes'), again)).toMatchObject({ status: 'ruled' })
      await stage.until(() => player.news.filter(({ kind }) => kind === 'dead').length === 2)
      await stage.appendNumbered(['a'], 2)
      await stage.reached(player, 2)
      expect(await store.deadLetters(stage.at('notes'))).toMatchObject([{ seq: 1, reason: 'log.trimmed' }])
      expect(await stage.stateOf('notes', 'a')).toEqual([2])
      expect(player.news.filter(({ kind }) => kind === 'ended')).toEqual([])
      expect(await stage.differences('notes')).toEqual([])
    }))
}

/** Puts an event onto the log, by the index of a key, that says other things of itself than it should. */
async function leave({ subject: { log }, source }: Scene, key: string, said: Partial<Event>): Promise<void> {
  const event = newEvent(source, { type: 'Counted', key, data: { n: 1 } })
  const text = JSON.stringify({ ...event, ...said })
  await log.append(source, [{ events: [event], encoded: [{ event, text }] }])
}

type KeyPage = Awaited<ReturnType<EventLog['readKey']>>

/** A log of which some events of keys cannot be read any more. */
function losing(inner: EventLog, loses: (seq: number) => boolean): EventLog {
  return readingKeys(inner, (page) => {
    const before = page.events.findIndex(({ position }) => loses(position.seq))
    const lost = page.events[before]?.position
    if (lost === undefined) return page
    const details = { id: lost.id, before }
    throw new MillraceError('log.trimmed', `Event ${lost.seq} has been removed`, { details })
  })
}

/** A log of which some events have lost their key. */
function spoiling(inner: EventLog, spoils: (seq: number) => boolean): EventLog {
  return readingKeys(inner, (page) => ({
    ...page,
    events: page.events.map((one) =>
      spoils(one.position.seq) ? { ...one, event: { ...one.event, subject: '(unreadable)' } } : one,
    ),
  }))
}

function readingKeys(inner: EventLog, page: (read: KeyPage) => KeyPage): EventLog {
  return new Proxy(inner, {
    get: (target, name) => {
      const found: unknown = Reflect.get(target, name)
      if (typeof found !== 'function') return found
      if (name !== 'readKey') return found.bind(target) as unknown
      return async (...given: Parameters<EventLog['readKey']>) => page(await target.readKey(...given))
    },
  })
}
