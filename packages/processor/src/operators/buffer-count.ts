import type { OperatorFunction } from 'rxjs'
import { assertSize, Buffering } from './buffering.ts'
import { assertMs, keeping } from './keeping.ts'

/**
 * `bufferCount` of RxJS, held: hands on so many values together. Outcomes are recorded on the last of them, and all
 * are committed together. Unlike in RxJS, what has gathered is also handed on after `withinMs` (default 1,000): its
 * events hold back the group's position, and the next event of the key may be a year away.
 */
export function bufferCount<V>(size: number, withinMs = 1_000): OperatorFunction<V, V[]> {
  assertSize('bufferCount()', size)
  assertMs('bufferCount()', withinMs)
  return keeping('bufferCount()', (place, behind) => new Buffering<V>(size, withinMs, place, behind))
}
