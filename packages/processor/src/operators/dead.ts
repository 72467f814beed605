import type { MonoTypeOperatorFunction } from 'rxjs'
import { ending } from './ending.ts'

/**
 * Gives events up, without an attempt more: those that `why` gives a reason for become dead letters with it, whatever the
 * processor's `onExhausted` says. Others pass. Nothing else may be recorded for an event that is given
 * up, so it stands before `evolve` and `emit`.
 */
export function dead<V>(why: (value: V) => string | undefined): MonoTypeOperatorFunction<V> {
  return ending('dead()', 'dead', why)
}
