import type { OperatorFunction } from 'rxjs'
import { assertSize, Buffering } from './buffering.ts'
import { assertMs, keeping } from './keeping.ts'

/**
 * `bufferTime` of RxJS, held: hands on together what comes within so many ms, or `most` values (default 1,000).
 * Outcomes are recorded on the last of them, and all are committed together. Unlike in RxJS, the time begins with the
 * first value and there are no empty buffers. For more than seconds, use `tumblingWindow`.
 */
export function bufferTime<V>(ms: number, most = 1_000): OperatorFunction<V, V[]> {
  assertMs('bufferTime()', ms)
  assertSize('bufferTime()', most)
  return keeping('bufferTime()', (place, behind) => new Buffering<V>(most, ms, place, behind))
}
