import type { Act } from '../act.ts'
import type { Seeded } from '../seeded.ts'

/** What the events of one seed ask for, and how often: a seed has much of one thing and little of another. */
export class Asked {
  readonly #random: Seeded
  readonly #tempers: readonly number[]
  readonly #ids: number
  readonly #effects: number

  /** @param manyEffects Four times as many as of other things. */
  constructor(random: Seeded, manyEffects: boolean) {
    this.#random = random
    this.#tempers = Array.from({ length: 8 }, () => random.temper())
    this.#effects = manyEffects ? 4 : 1
    this.#ids = random.pick([2, 4, 25]) ?? 25
  }

  any(): Act {
    const [, , , fail = 1, dead = 1, wait = 1] = this.#tempers
    const { random } = { random: this.#random }
    const act = random.weighted<Act | undefined>([
      [3 * fail, { do: 'fail', times: random.between(1, 3) }],
      [dead, { do: 'dead' }],
      [2 * wait, { do: 'wait' }],
      [12, undefined],
    ])
    return act ?? this.fine()
  }

  /** Something that every handler can do. */
  fine(): Act {
    const [plain = 1, emit = 1, effect = 1, , , , allow = 1, timer = 1] = this.#tempers
    const { random } = { random: this.#random }
    const act = random.weighted<Act>([
      [3 * plain, { do: 'plain' }],
      [3 * emit, { do: 'emit' }],
      [3 * effect * this.#effects, { do: 'effect', id: `quote-${random.between(1, this.#ids)}` }],
      [0.5 * allow, { do: 'allow' }],
      [2.5 * timer, { do: 'timer', afterMs: random.between(0, 300) }],
    ])
    return act ?? { do: 'plain' }
  }
}
