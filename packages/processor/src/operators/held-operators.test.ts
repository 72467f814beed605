import { filter, merge, Subject, take } from 'rxjs'
import { expect, test } from 'vitest'
import { rigOf } from '../testing/stream-rig.ts'
import { bufferCount } from './buffer-count.ts'
import { bufferTime } from './buffer-time.ts'
import { concatMap } from './concat-map.ts'
import { debounceTime } from './debounce-time.ts'
import { delay } from './delay.ts'
import { exhaustMap } from './exhaust-map.ts'
import { mergeMap } from './merge-map.ts'
import { switchMap } from './switch-map.ts'
import { throttleTime } from './throttle-time.ts'

test('mergeMap: an event is settled when its inner stream is over, and those before it are', () => {
  const rig = rigOf((lane, open) => lane.pipe(mergeMap(open)))
  rig.feed(3)
  rig.inner(2).next('a')
  rig.inner(2).complete()
  expect(rig.told).toEqual([])
  rig.inner(1).complete()
  expect(rig.told).toEqual(['1', '2'])
  rig.inner(3).complete()
  expect(rig.told).toEqual(['1', '2', '3'])
})

test('mergeMap with a bound: those that wait for their turn are held', () => {
  const rig = rigOf((lane, open) => lane.pipe(mergeMap(open, 2)))
  rig.feed(3)
  expect(rig.opened()).toEqual([1, 2])
  rig.inner(1).complete()
  expect(rig.opened()).toEqual([1, 2, 3])
  expect(rig.told).toEqual(['1'])
})

test('concatMap: one after the other, each settled when its own stream is over', () => {
  const rig = rigOf((lane, open) => lane.pipe(concatMap(open)))
  rig.feed(3)
  expect(rig.opened()).toEqual([1])
  rig.inner(1).complete()
  rig.inner(2).complete()
  expect(rig.told).toEqual(['1', '2'])
  rig.inner(3).complete()
  expect(rig.told).toEqual(['1', '2', '3'])
})

test('switchMap: a later event switches the stream of an earlier one off, which is done', () => {
  const rig = rigOf((lane, open) => lane.pipe(switchMap(open)))
  rig.feed(2)
  expect(rig.told).toEqual(['1'])
  expect(rig.inner(1).observed).toBe(false)
  rig.inner(2).complete()
  expect(rig.told).toEqual(['1', '2'])
})

test('exhaustMap: what comes while a stream is open is done', () => {
  const rig = rigOf((lane, open) => lane.pipe(exhaustMap(open)))
  rig.feed(2)
  expect(rig.opened()).toEqual([1])
  expect(rig.told).toEqual([])
  rig.inner(1).complete()
  expect(rig.told).toEqual(['1', '2'])
})

test('delay: held until it is handed on', () => {
  const rig = rigOf((lane) => lane.pipe(delay(10)))
  rig.feed()
  rig.time.advance(5)
  rig.feed()
  rig.time.advance(5)
  expect(rig.told).toEqual(['1'])
  rig.time.advance(5)
  expect(rig.told).toEqual(['1', '2'])
})

test('debounceTime: what is replaced is done, the last is held', () => {
  const rig = rigOf((lane) => lane.pipe(debounceTime(10)))
  rig.feed(2)
  expect(rig.told).toEqual(['1'])
  rig.time.advance(10)
  expect(rig.told).toEqual(['1', '2'])
})

test('throttleTime: what is left out is done; with trailing, the last of a period is held', () => {
  const leading = rigOf((lane) => lane.pipe(throttleTime(10)))
  leading.feed(3)
  expect(leading.told).toEqual(['1', '2', '3'])
  const both = rigOf((lane) => lane.pipe(throttleTime(10, { trailing: true })))
  both.feed(3)
  expect(both.told).toEqual(['1', '2'])
  both.time.advance(10)
  expect(both.told).toEqual(['1', '2', '3'])
})

test('bufferCount: all are settled together when the buffer is handed on, or when it has waited too long', () => {
  const rig = rigOf((lane) => lane.pipe(bufferCount(2, 50)))
  rig.feed(3)
  expect(rig.told).toEqual(['1+2'])
  rig.time.advance(50)
  expect(rig.told).toEqual(['1+2', '3'])
})

test('bufferTime: all that came in the time are settled together', () => {
  const rig = rigOf((lane) => lane.pipe(bufferTime(20)))
  rig.feed(3)
  expect(rig.told).toEqual([])
  rig.time.advance(20)
  expect(rig.told).toEqual(['1+2+3'])
})

test('bufferTime before mergeMap: the whole buffer is held until its stream is over', () => {
  const streams: Subject<void>[] = []
  const rig = rigOf((lane) =>
    lane.pipe(
      bufferTime(20),
      mergeMap(() => {
        const stream = new Subject<void>()
        streams.push(stream)
        return stream
      }),
    ),
  )
  rig.feed(2)
  rig.time.advance(20)
  expect(rig.told).toEqual([])
  streams[0]?.complete()
  expect(rig.told).toEqual(['1+2'])
})

test('merge: an event is settled when every branch has let go of it', () => {
  const rig = rigOf((lane, open) => merge(lane.pipe(mergeMap(open)), lane.pipe(delay(10)), lane))
  rig.feed(2)
  rig.time.advance(10)
  expect(rig.told).toEqual([])
  rig.inner(2).complete()
  rig.inner(1).complete()
  expect(rig.told).toEqual(['1', '2'])
})

test('an inner stream may wait for a later event of the lane', () => {
  const rig = rigOf((lane) =>
    lane.pipe(
      filter(({ data }) => data.n % 2 === 1),
      mergeMap(() => lane.pipe(take(1))),
    ),
  )
  rig.feed()
  expect(rig.told).toEqual([])
  rig.feed()
  expect(rig.told).toEqual(['1', '2'])
})
