import type { Topic, TypesOfTopic } from '@millrace/event'
import { map, type MonoTypeOperatorFunction } from 'rxjs'
import { recordEmits } from '../lane/recording.ts'
import type { DraftsOf } from '../model/draft.ts'
import { placed } from './placed.ts'

/**
 * Emits events to a topic: `make` answers one, several or none for a value, which goes on as it is. They are appended
 * exactly once, after the commit of the delivery that the value comes from; their ids derive from it.
 */
export function emit<V, Types extends TypesOfTopic, const Name extends keyof Types & string>(
  topic: Topic<Types>,
  make: (value: V) => DraftsOf<Types, Name>,
): MonoTypeOperatorFunction<V> {
  return placed('emit()', (place, source) =>
    source.pipe(
      map((value) => {
        const { delivery } = place.load('emit()')
        recordEmits(place.lane, delivery, topic, make(value))
        return value
      }),
    ),
  )
}
