import type { MonoTypeOperatorFunction } from 'rxjs'
import { ending } from './ending.ts'

/**
 * Sets events aside until their precondition has come: for those that `why` gives a reason for. They are offered again
 * behind each later event of the key, in order and in its commit; the key goes on. Others pass. Nothing else may be recorded for an
 * event that is set aside, so it stands before `evolve` and `emit`.
 */
export function defer<V>(why: (value: V) => string | undefined): MonoTypeOperatorFunction<V> {
  return ending('defer()', 'deferred', why)
}
