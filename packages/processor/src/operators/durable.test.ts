import { derivedId, topic } from '@millrace/event'
import { map, merge, mergeMap as mergeMapOfRxjs, type Observable, of } from 'rxjs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { processor } from '../model/processor.ts'
import { state } from '../model/state.ts'
import { DurableRig, startMs, type Thing, things } from '../testing/durable-rig.ts'
import { LaneRig } from '../testing/lane-rig.ts'
import { durableDebounce } from './durable-debounce.ts'
import { durableDelay } from './durable-delay.ts'
import { emit } from './emit.ts'
import { evolve } from './evolve.ts'
import { join } from './join.ts'
import { mergeMap } from './merge-map.ts'
import { sessionWindow } from './session-window.ts'
import { tumblingWindow } from './tumbling-window.ts'

const notes = topic('notes', { types: { Noted: z.object({ text: z.string() }) } })

test('durableDelay hands each value on at its time, on whatever member', () => {
  const rig = new DurableRig((lane) => lane.pipe(durableDelay('wait', 100)))
  rig.feed('Made', 1)
  rig.pass(50)
  rig.feed('Made', 2)
  expect(rig.timers).toEqual({ wait: 100 })
  rig.restart()
  rig.pass(50)
  expect(rig.out).toEqual([1])
  expect(rig.timers).toEqual({ wait: 150 })
  rig.restart()
  rig.pass(50)
  expect(rig.out).toEqual([1, 2])
  expect(rig.timers).toEqual({})
  expect(rig.rig.lane.record.ops).toEqual({})
})

test('durableDelay: what is due when its timer is late goes before the next event', () => {
  const rig = new DurableRig((lane) =>
    merge(lane.pipe(durableDelay('wait', 100)), lane.pipe(map(() => 'next'))),
  )
  rig.feed('Made', 1)
  rig.time.advance(200)
  rig.feed('Made', 2)
  expect(rig.out).toEqual(['next', 1, 'next'])
  expect(rig.timers).toEqual({ wait: 300 })
})

test('durableDebounce hands on the last value after a silence', () => {
  const rig = new DurableRig((lane) => lane.pipe(durableDebounce('calm', 100)))
  rig.feed('Made', 1)
  rig.pass(60)
  rig.feed('Made', 2)
  rig.pass(60)
  rig.restart()
  expect(rig.out).toEqual([])
  rig.pass(40)
  expect(rig.out).toEqual([2])
  rig.feed('Made', 3)
  rig.time.advance(500)
  rig.feed('Made', 4)
  expect(rig.out).toEqual([2, 3])
  rig.pass(100)
  expect(rig.out).toEqual([2, 3, 4])
})

test('tumblingWindow gathers what was recorded in each period', () => {
  const rig = new DurableRig((lane) => lane.pipe(tumblingWindow('minute', 60_000)))
  rig.feed('Made', 1)
  rig.pass(59_999)
  rig.feed('Made', 2)
  rig.restart()
  rig.pass(1)
  expect(rig.out).toEqual([[1, 2]])
  rig.feed('Made', 3)
  rig.pass(10_000)
  rig.feed('Made', 4)
  expect(rig.timers).toEqual({ minute: 120_000 })
  rig.pass(600_000, true)
  expect(rig.out).toEqual([
    [1, 2],
    [3, 4],
  ])
})

test('tumblingWindow: an event of the next period closes a window whose timer is late, and the late timer does nothing', () => {
  const rig = new DurableRig((lane) => lane.pipe(tumblingWindow('minute', 60_000)))
  rig.feed('Made', 1)
  rig.time.advance(60_000)
  rig.feed('Made', 2)
  expect(rig.out).toEqual([[1]])
  expect(rig.timers).toEqual({ minute: 120_000 })
  const stale = rig.rig.fire('minute', startMs + 60_000)
  expect(stale).toMatchObject({ settled: true, timers: undefined, after: undefined })
  expect(rig.out).toEqual([[1]])
})

test('a window says when it was open', () => {
  const seenWindows: unknown[] = []
  const rig = new DurableRig((lane) =>
    merge(lane.pipe(tumblingWindow('minute', 60_000)), lane.pipe(sessionWindow('session', 5_000))).pipe(
      map(({ startMs: from, endMs: to }) => seenWindows.push([from - startMs, to - startMs])),
    ),
  )
  rig.time.advance(10_000)
  rig.feed('Made', 1)
  rig.time.advance(4_000)
  rig.feed('Made', 2)
  rig.pass(60_000)
  expect(seenWindows).toEqual([
    [10_000, 14_000],
    [0, 60_000],
  ])
})

test('sessionWindow goes on while values come, up to its longest', () => {
  const rig = new DurableRig((lane) => lane.pipe(sessionWindow('visit', 100, { maxMs: 250 })))
  for (const n of [1, 2, 3]) {
    rig.feed('Made', n)
    rig.pass(90)
  }
  expect(rig.out).toEqual([[1, 2, 3]])
  rig.feed('Made', 4)
  rig.restart()
  rig.pass(100)
  expect(rig.out).toEqual([[1, 2, 3], [4]])
})

test('join puts two types together, in any order', () => {
  const rig = new DurableRig((lane) => lane.pipe(join('deal', 'Made', 'Paid')))
  rig.feed('Made', 1)
  rig.feed('Made', 2)
  rig.feed('Lost')
  rig.restart()
  rig.feed('Paid', 3)
  rig.feed('Paid', 4)
  rig.feed('Made', 5)
  expect(rig.out).toEqual([
    [2, 3],
    [5, 4],
  ])
  expect(rig.timers).toEqual({})
})

test('join with a time hands on alone what finds no partner', () => {
  const rig = new DurableRig((lane) => lane.pipe(join('deal', 'Made', 'Paid', { withinMs: 100 })))
  rig.feed('Made', 1)
  rig.pass(100)
  rig.feed('Paid', 2)
  rig.time.advance(200)
  rig.feed('Made', 3)
  expect(rig.out).toEqual([
    [1, undefined],
    [undefined, 2],
  ])
  rig.feed('Paid', 4)
  expect(rig.out.at(-1)).toEqual([3, 4])
  expect(rig.timers).toEqual({})
})

test('a firing is a delivery: what it brings about derives from it, is caused by the event, and keeps its correlation', () => {
  const definition = processor('group', things, {
    state: state({ initial: () => 0 }),
    pipeline: (lane) =>
      lane.pipe(
        durableDelay('wait', 100),
        evolve((sum) => sum + 1),
        emit(notes, ({ state: sum }) => ({ type: 'Noted', data: { text: String(sum) } })),
      ),
  })
  const rig = new LaneRig(definition)
  const { event, timers } = rig.feed('Made', { n: 1 })
  const dueMs = timers?.[0]?.dueMs ?? 0
  const firing = rig.fire('wait', dueMs)
  expect(rig.told).toEqual(['1', '2'])
  expect(firing).toMatchObject({
    outcome: 'done',
    after: { state: 1, ops: {} },
    timers: [{ name: 'wait', dueMs: undefined }],
  })
  const id = derivedId('timer', event?.id ?? '', 'wait', String(dueMs))
  expect(firing.emits?.[0]?.event).toMatchObject({
    id: derivedId('group', id, 'notes', '0'),
    causationid: event?.id,
    correlationid: event?.correlationid,
  })
})

test('one durable operator behind another: the second counts from the time of the first', () => {
  const rig = new DurableRig((lane) => lane.pipe(durableDelay('one', 100), durableDelay('two', 10)))
  rig.feed('Made', 1)
  rig.pass(100)
  expect(rig.timers).toEqual({ two: 110 })
  rig.pass(10)
  expect(rig.out).toEqual([1])
})

test('a timer that nobody has set any more fails its firing', () => {
  const record = {
    state: undefined,
    ops: { gone: { data: 1, timer: { dueMs: 5, cause: { id: 'i', eventId: 'i', correlationid: 'c' } } } },
  }
  const rig = new LaneRig(processor('group', things, { pipeline: (lane) => lane }), { record })
  rig.fire('gone', 5)
  expect(rig.told).toEqual(['!1 timer.unknown'])
})

test('two durable operators of one name, or one in an inner stream, are refused', () => {
  const told = (pipeline: (lane: Observable<Thing>) => Observable<unknown>) => {
    const rig = new LaneRig(processor('group', things, { pipeline }))
    rig.feed('Made', { n: 1 })
    return rig.told
  }
  const twice = (lane: Observable<Thing>) =>
    merge(lane.pipe(durableDelay('x', 1)), lane.pipe(durableDebounce('x', 1)))
  const inner = (lane: Observable<Thing>) =>
    lane.pipe(mergeMap((event) => of(event).pipe(durableDelay('x', 1))))
  expect(told(twice)).toEqual(['!1 pipeline.undeclared'])
  expect(told(inner)).toEqual(['!1 pipeline.undeclared'])
})

test('a durable operator behind one that changes the order is refused when the order changes', () => {
  const rig = new LaneRig(
    processor('group', things, {
      pipeline: (lane) => {
        // Each event overtaken by a copy of the one before it, as mergeMap may do it with streams that take longer.
        return lane.pipe(
          mergeMap((event) => (event.type === 'Made' ? lane.pipe(map(() => event)) : of(event))),
          durableDebounce('calm', 100),
        )
      },
    }),
  )
  rig.feed('Made', { n: 1 })
  rig.feed('Paid', { n: 2 })
  expect(rig.told).toEqual(['!1 pipeline.order'])
})

test('values that come several times in one event are remembered in turn', () => {
  const rig = new DurableRig((lane) =>
    lane.pipe(
      mergeMapOfRxjs((event) => [event, event]),
      tumblingWindow('minute', 60_000),
    ),
  )
  const { timers } = rig.feed('Made', 1)
  expect(timers).toEqual([{ name: 'minute', dueMs: startMs + 60_000 }])
  rig.pass(60_000)
  expect(rig.out).toEqual([[1, 1]])
})

test('times and names that cannot be are refused at once', () => {
  expect(() => durableDelay('x', 0)).toThrow('whole ms from 1')
  expect(() => durableDelay('No Name', 1)).toThrow('lower case')
  expect(() => join('x', 'a', 'a')).toThrow('two different types')
})
