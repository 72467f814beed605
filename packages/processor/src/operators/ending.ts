import type { MonoTypeOperatorFunction, Subscriber } from 'rxjs'
import type { Place } from '../lane/current.ts'
import { recordEnd } from '../lane/recording.ts'
import { Step, stepped } from './step.ts'

/** An operator that takes values out of the stream by giving their delivery another outcome than done. */
export function ending<V>(
  name: string,
  outcome: 'deferred' | 'dead',
  why: (value: V) => string | undefined,
): MonoTypeOperatorFunction<V> {
  return stepped(name, (place, behind) => new EndingStep(place, behind, { name, outcome, why }))
}

interface Ending<V> {
  readonly name: string
  readonly outcome: 'deferred' | 'dead'
  readonly why: (value: V) => string | undefined
}

class EndingStep<V> extends Step<V> {
  readonly #ending: Ending<V>

  constructor(place: Place, behind: Subscriber<V>, is: Ending<V>) {
    super(place, behind)
    this.#ending = is
  }

  protected override step(value: V): void {
    const { name, outcome, why } = this.#ending
    const load = this.place.load(name)
    const reason = why(value)
    if (reason === undefined) this.handOn(value)
    else recordEnd(this.place.lane, load, outcome, reason)
  }
}
