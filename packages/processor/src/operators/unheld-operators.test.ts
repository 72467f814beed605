import {
  bufferCount as bufferCountOfRxjs,
  bufferTime as bufferTimeOfRxjs,
  concatMap as concatMapOfRxjs,
  debounceTime as debounceTimeOfRxjs,
  delay as delayOfRxjs,
  exhaustMap as exhaustMapOfRxjs,
  mergeMap as mergeMapOfRxjs,
  switchMap as switchMapOfRxjs,
  debounce,
  merge,
  NEVER,
  type Observable,
  startWith,
  Subject,
  tap,
  timer,
} from 'rxjs'
import { expect, test, vi } from 'vitest'
import { type Made, rigOf } from '../testing/stream-rig.ts'
import { mergeMap } from './merge-map.ts'

test('startWith and other values out of nowhere: refused with the first event', () => {
  const rig = rigOf((lane) => lane.pipe(startWith('x')))
  rig.feed()
  expect(rig.told).toEqual(['!1 pipeline.unheld'])
})

test('operators of rxjs that hand on later: refused as soon as they do', () => {
  vi.useFakeTimers()
  try {
    const later: ((lane: Observable<Made>) => Observable<unknown>)[] = [
      (lane) => lane.pipe(delayOfRxjs(5)),
      (lane) => lane.pipe(debounceTimeOfRxjs(5)),
      (lane) => lane.pipe(debounce(() => timer(5))),
      (lane) => lane.pipe(bufferTimeOfRxjs(5)),
      (lane) => lane.pipe(mergeMapOfRxjs(() => timer(5))),
      (lane) => lane.pipe(concatMapOfRxjs(() => timer(5))),
      (lane) => lane.pipe(switchMapOfRxjs(() => timer(5))),
      (lane) => lane.pipe(exhaustMapOfRxjs(() => timer(5))),
      // Noticed by the next operator of ours, if there is one.
      (lane) =>
        lane.pipe(
          delayOfRxjs(5),
          mergeMap(() => NEVER),
        ),
    ]
    for (const pipeline of later) {
      const rig = rigOf(pipeline)
      rig.feed(2)
      vi.advanceTimersByTime(10)
      expect(rig.told.at(-1)).toBe('! pipeline.unheld')
      expect(rig.errors[0]).toHaveProperty('message', expect.stringContaining('@millrace/processor'))
    }
  } finally {
    vi.useRealTimers()
  }
})

test('bufferCount of rxjs is not noticed: its first events are settled too early', () => {
  const rig = rigOf((lane) => lane.pipe(bufferCountOfRxjs(2)))
  rig.feed(2)
  // Why the rule for imports has to catch it: it looks like any operator that drops every other value.
  expect(rig.told).toEqual(['1', '2'])
})

test('a stream that several lanes share hands nothing from one to the other', () => {
  const shared = new Subject<string>()
  const one = rigOf((lane) => lane.pipe(tap(() => shared.next('x'))))
  const other = rigOf((lane) => merge(lane, shared))
  other.feed()
  one.feed()
  expect(one.told).toEqual(['1'])
  expect(other.told).toEqual(['1', '! pipeline.unheld'])
})
