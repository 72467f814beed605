import type { Topic, TypesOfTopic } from '@millrace/event'
import type { MonoTypeOperatorFunction, Subscriber } from 'rxjs'
import type { Place } from '../lane/current.ts'
import { type LooseDrafts, recordEmits } from '../lane/recording.ts'
import type { DraftsOf } from '../model/draft.ts'
import { Step, stepped } from './step.ts'

/**
 * Emits events to a topic: `make` answers one, several or none for a value, which goes on as it is. They are appended
 * exactly once, after the commit of the delivery that the value comes from; their ids derive from it.
 */
export function emit<V, Types extends TypesOfTopic, const Name extends keyof Types & string>(
  topic: Topic<Types>,
  make: (value: V) => DraftsOf<Types, Name>,
): MonoTypeOperatorFunction<V> {
  return stepped('emit()', (place, behind) => new EmitStep(place, behind, topic, make))
}

class EmitStep<V> extends Step<V> {
  readonly #topic: Topic
  readonly #make: (value: V) => LooseDrafts

  constructor(place: Place, behind: Subscriber<V>, topic: Topic, make: (value: V) => LooseDrafts) {
    super(place, behind)
    this.#topic = topic
    this.#make = make
  }

  protected override step(value: V): void {
    const { delivery } = this.place.load('emit()')
    recordEmits(this.place.lane, delivery, this.#topic, this.#make(value))
    this.handOn(value)
  }
}
