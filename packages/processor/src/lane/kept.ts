import type { Place } from './current.ts'
import type { LaneCore } from './lane-core.ts'
import type { Load } from './load.ts'

/** A hold of an operator on the load of a value that it keeps. Given back once, however often it is asked for. */
export class Kept {
  readonly #place: Place
  readonly #load: Load
  #held = true

  /** @param load Held already, and not by anybody else. */
  constructor(place: Place, load: Load) {
    this.#place = place
    this.#load = load
  }

  get lane(): LaneCore {
    return this.#place.lane
  }

  get place(): Place {
    return this.#place
  }

  get load(): Load {
    return this.#load
  }

  /** Does something with the value as the current one. */
  run(act: () => void): void {
    this.lane.run(this.#place, this.#load, act)
  }

  /** Hands the value on, which is all that was to be done with it. */
  handOn(act: () => void): void {
    this.run(() => {
      act()
      this.release()
    })
  }

  /** The value is handled, or not wanted any more. */
  release(): void {
    if (this.#take()) this.lane.release(this.#load)
  }

  /** The operator is unsubscribed. */
  drop(): void {
    if (this.#take()) this.lane.drop(this.#place, this.#load)
  }

  /** Hands the hold itself over. */
  handOver(): Load {
    this.#held = false
    return this.#load
  }

  #take(): boolean {
    const held = this.#held
    this.#held = false
    return held
  }
}

/** Keeps the value that has just arrived at an operator. @throws MillraceError `pipeline.unheld` */
export function keep(place: Place, operator: string): Kept {
  return new Kept(place, place.lane.hold(place.load(operator)))
}
