import type { ForeignState } from '../../model/first-touch.ts'
import { type Processor, processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import type { Scene } from './scene.ts'

/** What was seen of a key. */
export type Sums = readonly (string | number)[]

/** Another system that knows keys, can be away, and counts who asks. */
export class Elsewhere {
  readonly asked: string[] = []
  away = false
  /** What it knows; of other keys nothing. */
  knows = (key: string): ForeignState<Sums> | undefined => ({ state: [`old ${key}`], asOf: new Date(0) })
  failure: () => Error = () => new Error('connection refused')
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  readonly load = async (key: string): Promise<ForeignState<Sums> | undefined> => {
    this.asked.push(key)
    this.#changed()
    if (this.away) throw this.failure()
    return this.knows(key)
  }
}

/** Lists what it has seen of a key, on top of what the other system has, and tells each of it. */
export const sums = (stage: Scene, other: Elsewhere): Processor<Scene['source'], Sums> =>
  processor('sums', stage.source, {
    state: state<Sums>({
      initial: () => [],
      firstTouch: { load: other.load, timeoutMs: 5_000, atOnce: 4 },
    }),
    handle: (event, context) => {
      context.evolve([...context.state, event.data.n])
      context.emit(stage.target, { type: 'Derived', data: { n: event.data.n } })
    },
  })
