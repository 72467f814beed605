import type { MonoTypeOperatorFunction, Subscriber } from 'rxjs'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Place } from '../lane/current.ts'
import { recordEffect } from '../lane/recording.ts'
import type { AnyEffect, EffectDefinition } from '../model/effect.ts'
import { Step, stepped } from './step.ts'

/**
 * Records an action on the outside world: `make` answers its payload, or undefined for none; the value goes on as it
 * is. It is carried out after the commit, at least once, with an idempotency key that derives from the delivery, and
 * never on a replay. The processor must list the definition under `effects`.
 */
export function effect<V, S extends StandardSchemaV1>(
  definition: EffectDefinition<S>,
  make: (value: V) => StandardSchemaV1.InferInput<S> | undefined,
): MonoTypeOperatorFunction<V> {
  return stepped('effect()', (place, behind) => new EffectStep(place, behind, definition, make))
}

class EffectStep<V> extends Step<V> {
  readonly #definition: AnyEffect
  readonly #make: (value: V) => unknown

  constructor(place: Place, behind: Subscriber<V>, definition: AnyEffect, make: (value: V) => unknown) {
    super(place, behind)
    this.#definition = definition
    this.#make = make
  }

  protected override step(value: V): void {
    const { delivery } = this.place.load('effect()')
    const payload = this.#make(value)
    if (payload !== undefined) recordEffect(this.place.lane, delivery, this.#definition, payload)
    this.handOn(value)
  }
}
