import {
  concatMap as concatMapOfRxjs,
  exhaustMap as exhaustMapOfRxjs,
  mergeMap as mergeMapOfRxjs,
  switchMap as switchMapOfRxjs,
  distinctUntilChanged,
  filter,
  map,
  merge,
  NEVER,
  of,
  scan,
  share,
  tap,
  throttle,
  pairwise,
  partition,
  withLatestFrom,
} from 'rxjs'
import { expect, test } from 'vitest'
import { rigOf } from '../testing/stream-rig.ts'
import { delay } from './delay.ts'

const dies = (): never => {
  throw new Error('boom')
}

test('filter: what it drops is done', () => {
  const rig = rigOf((lane) => lane.pipe(filter(({ data }) => data.n % 2 === 0)))
  rig.feed(3)
  expect(rig.told).toEqual(['1', '2', '3'])
})

test('map, tap and scan work as they are', () => {
  const seen: number[] = []
  const rig = rigOf((lane) =>
    lane.pipe(
      map(({ data }) => data.n),
      scan((sum, n) => sum + n, 0),
      tap((sum) => seen.push(sum)),
    ),
  )
  rig.feed(3)
  expect(rig.told).toEqual(['1', '2', '3'])
  expect(seen).toEqual([1, 3, 6])
})

test('distinctUntilChanged: what it leaves out is done', () => {
  const rig = rigOf((lane) => lane.pipe(distinctUntilChanged((a, b) => a.type === b.type)))
  rig.feed(3)
  expect(rig.told).toEqual(['1', '2', '3'])
})

test('share: a part of the pipeline with several branches behind it', () => {
  const rig = rigOf((lane) => {
    const shared = lane.pipe(delay(10), share())
    return merge(shared.pipe(filter(() => false)), shared)
  })
  rig.feed(2)
  rig.time.advance(10)
  expect(rig.told).toEqual(['1', '2'])
})

test('a lane that never emits: everything is dropped, which is done', () => {
  const rig = rigOf((lane) => lane.pipe(filter(() => false)))
  rig.feed(2)
  expect(rig.told).toEqual(['1', '2'])
})

test('a throw in the building of a pipeline fails its first event', () => {
  const rig = rigOf(dies)
  rig.feed()
  expect(rig.told).toEqual(['!1 boom'])
})

test('throttle with a stream of its own works, as it hands on at once', () => {
  const rig = rigOf((lane) => lane.pipe(throttle(() => NEVER)))
  rig.feed(3)
  expect(rig.told).toEqual(['1', '2', '3'])
})

test('operators of rxjs whose inner streams are over at once work as they are', () => {
  const rig = rigOf((lane) =>
    lane.pipe(
      mergeMapOfRxjs((event) => [event, event]),
      concatMapOfRxjs((event) => of(event)),
      switchMapOfRxjs((event) => of(event)),
      exhaustMapOfRxjs((event) => of(event)),
    ),
  )
  rig.feed(2)
  expect(rig.told).toEqual(['1', '2'])
})

test('pairwise, withLatestFrom and partition work as they are', () => {
  const seen: unknown[] = []
  const rig = rigOf((lane) => {
    const [even, odd] = partition(
      lane.pipe(
        pairwise(),
        withLatestFrom(of('x')),
        map(([[before, after], word]) => `${before.data.n}${after.data.n}${word}`),
      ),
      (pair) => pair.startsWith('1'),
    )
    return merge(
      even.pipe(map((pair) => seen.push(`even ${pair}`))),
      odd.pipe(map((pair) => seen.push(`odd ${pair}`))),
    )
  })
  rig.feed(3)
  expect(rig.told).toEqual(['1', '2', '3'])
  expect(seen).toEqual(['even 12x', 'odd 23x'])
})
