import { map, type MonoTypeOperatorFunction } from 'rxjs'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { recordEffect } from '../lane/recording.ts'
import type { EffectDefinition } from '../model/effect.ts'
import { placed } from './placed.ts'

/**
 * Records an action on the outside world: `make` answers its payload, or undefined for none; the value goes on as it
 * is. It is carried out after the commit, at least once, with an idempotency key that derives from the delivery, and
 * never on a replay. The processor must list the definition under `effects`.
 */
export function effect<V, S extends StandardSchemaV1>(
  definition: EffectDefinition<S>,
  make: (value: V) => StandardSchemaV1.InferInput<S> | undefined,
): MonoTypeOperatorFunction<V> {
  return placed('effect()', (place, source) =>
    source.pipe(
      map((value) => {
        const { delivery } = place.load('effect()')
        const payload = make(value)
        if (payload !== undefined) recordEffect(place.lane, delivery, definition, payload)
        return value
      }),
    ),
  )
}
