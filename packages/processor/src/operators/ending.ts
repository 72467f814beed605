import { filter, type MonoTypeOperatorFunction } from 'rxjs'
import { recordEnd } from '../lane/recording.ts'
import { placed } from './placed.ts'

/** An operator that takes values out of the stream by giving their delivery another outcome than done. */
export function ending<V>(
  name: string,
  outcome: 'deferred' | 'dead',
  why: (value: V) => string | undefined,
): MonoTypeOperatorFunction<V> {
  return placed(name, (place, source) =>
    source.pipe(
      filter((value) => {
        const load = place.load(name)
        const reason = why(value)
        if (reason === undefined) return true
        recordEnd(place.lane, load, outcome, reason)
        return false
      }),
    ),
  )
}
