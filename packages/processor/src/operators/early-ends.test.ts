import {
  catchError,
  concat,
  EMPTY,
  from,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  retry,
  Subject,
  take,
  takeUntil,
} from 'rxjs'
import { expect, test, vi } from 'vitest'
import { type Made, rigOf } from '../testing/stream-rig.ts'
import { concatMap } from './concat-map.ts'
import { delay } from './delay.ts'
import { mergeMap } from './merge-map.ts'

const dies = (): never => {
  throw new Error('boom')
}

test('take: the lane ends, and what follows goes to a fresh one', () => {
  const rig = rigOf((lane) => lane.pipe(take(2)))
  rig.feed(3)
  expect(rig.told).toEqual(['1', '2', 'end'])
})

test('take behind an operator that holds: what is held is not settled', () => {
  const rig = rigOf((lane, open) => lane.pipe(mergeMap(open), take(1)))
  rig.feed(3)
  rig.inner(1).next('a')
  expect(rig.told).toEqual(['1', 'end'])
  expect(rig.lane.unsettled).toHaveLength(2)
})

test('take in one branch, while it holds: refused', () => {
  const rig = rigOf((lane) => merge(lane.pipe(delay(10), take(1)), lane))
  rig.feed(2)
  rig.time.advance(10)
  expect(rig.told).toEqual(['!1 pipeline.abandoned'])
})

test('take in one branch that holds nothing works', () => {
  const rig = rigOf((lane) => merge(lane.pipe(take(1), delay(10)), lane))
  rig.feed(2)
  rig.time.advance(10)
  rig.feed()
  expect(rig.told).toEqual(['1', '2', '3'])
})

test('EMPTY, and any pipeline that does not listen: refused with its first event', () => {
  for (const pipeline of [
    () => EMPTY,
    () => NEVER,
    () => of(),
    (lane: Observable<Made>) => lane.pipe(take(0)),
  ]) {
    const rig = rigOf(pipeline)
    expect(rig.told).toEqual([])
    rig.feed()
    expect(rig.told).toEqual(['!1 pipeline.ended'])
  }
})

test('a pipeline that stops listening without an end is replaced', () => {
  const rig = rigOf((lane) => merge(lane.pipe(take(1)), NEVER))
  rig.feed(2)
  expect(rig.told).toEqual(['1', 'end'])
  expect(rig.lane.unsettled).toHaveLength(1)
})

test('a throw fails the event that it comes from', () => {
  const rig = rigOf((lane, open) =>
    lane.pipe(
      mergeMap(open),
      map((word) => (word === 'bad' ? dies() : word)),
    ),
  )
  rig.feed(3)
  rig.inner(2).next('bad')
  expect(rig.told).toEqual(['!2 boom'])
  expect(rig.lane.unsettled).toHaveLength(3)
})

test('an inner stream that fails fails the event that it was opened for', () => {
  const rig = rigOf((lane, open) => lane.pipe(mergeMap(open)))
  rig.feed(3)
  rig.inner(3).error(new Error('boom'))
  expect(rig.told).toEqual(['!3 boom'])
})

test('catchError inside an inner stream works', () => {
  const rig = rigOf((lane, open) =>
    lane.pipe(concatMap((event) => open(event).pipe(catchError(() => EMPTY)))),
  )
  rig.feed(3)
  rig.inner(1).error(new Error('boom'))
  expect(rig.told).toEqual(['1'])
  expect(rig.opened()).toEqual([1, 2])
})

test('catchError where nothing is held: the event is done, as the pipeline says, and the lane begins afresh', () => {
  const rig = rigOf((lane) =>
    lane.pipe(
      map(({ data }) => (data.n === 2 ? dies() : data.n)),
      catchError(() => EMPTY),
    ),
  )
  rig.feed(3)
  expect(rig.told).toEqual(['1', '2', 'end'])
})

test('catchError behind an operator that holds others: refused, nothing is lost', () => {
  const rig = rigOf((lane, open) =>
    lane.pipe(
      concatMap(open),
      catchError(() => EMPTY),
    ),
  )
  rig.feed(3)
  rig.inner(1).error(new Error('boom'))
  expect(rig.told).toEqual(['!1 pipeline.abandoned'])
  expect(rig.lane.unsettled).toHaveLength(3)
})

test('retry, repeat and caught: refused, the lane does not repeat its event', () => {
  const bad = ({ data }: Made) => (data.n === 2 ? dies() : data.n)
  for (const again of [retry<number>(), catchError<number, Observable<number>>((_, caught) => caught)]) {
    const rig = rigOf((lane) => lane.pipe(map(bad), again))
    rig.feed(2)
    expect(rig.told).toEqual(['1', '!2 pipeline.resubscribed'])
  }
  const rig = rigOf((lane) => concat(lane.pipe(take(1)), lane))
  rig.feed(2)
  expect(rig.told).toEqual(['!1 pipeline.resubscribed'])
})

test('retry inside an inner stream works, whenever it subscribes again', () => {
  vi.useFakeTimers()
  try {
    let tries = 0
    const rig = rigOf((lane) =>
      lane.pipe(
        mergeMap((event) =>
          from([event]).pipe(
            map(() => (++tries < 3 ? dies() : tries)),
            delay(1),
            retry({ delay: 5 }),
          ),
        ),
      ),
    )
    rig.feed()
    vi.advanceTimersByTime(20)
    rig.time.advance(1)
    expect(rig.told).toEqual(['1'])
  } finally {
    vi.useRealTimers()
  }
})

test('takeUntil behind an operator that holds: refused, before it: the lane ends', () => {
  const stop = new Subject<void>()
  const behind = rigOf((lane) => merge(lane.pipe(delay(10), takeUntil(stop)), lane))
  const before = rigOf((lane) => lane.pipe(takeUntil(stop), delay(10)))
  behind.feed(2)
  before.feed(2)
  stop.next()
  expect(behind.told).toEqual(['!1 pipeline.abandoned'])
  expect(before.told).toEqual([])
  before.time.advance(10)
  expect(before.told).toEqual(['1', '2', 'end'])
})
