import type { Topic } from '@millrace/event'
import type { Processor } from '@millrace/processor'
import { assertOutcome } from './assert-outcome.ts'
import { type GivenEvent, type KitOptions, startKit, type TestKit } from './kit.ts'
import type { Expectation, Outcome } from './outcome.ts'

/**
 * Begins a scenario: a processor, and the events that it has handled before.
 *
 * `await given(loyalty, [paid]).when(paid).then({ state: 11_000, emitted: [{ type: 'promoted' }] })`
 */
export function given<T extends Topic, S>(
  processor: Processor<T, S>,
  events: readonly GivenEvent<T>[] = [],
  options: KitOptions = {},
): Given<T, S> {
  return new Given(processor, options, events)
}

/** What a scenario does. */
type Act<T extends Topic, S> = (kit: TestKit<T, S>) => Promise<unknown>

/** A processor with a history. */
export class Given<T extends Topic, S> {
  readonly #processor: Processor<T, S>
  readonly #options: KitOptions
  readonly #events: readonly GivenEvent<T>[]

  constructor(processor: Processor<T, S>, options: KitOptions, events: readonly GivenEvent<T>[]) {
    this.#processor = processor
    this.#options = options
    this.#events = events
  }

  /** Appends what the scenario is about. */
  when(...events: readonly GivenEvent<T>[]): Scenario<T, S> {
    return this.#begin().when(...events)
  }

  /** Lets so many ms pass. */
  pass(ms: number): Scenario<T, S> {
    return this.#begin().pass(ms)
  }

  #begin(): Scenario<T, S> {
    const history = this.#events
    return new Scenario(this.#processor, this.#options, { history, acts: [], key: history.at(-1)?.key })
  }
}

interface Course<T extends Topic, S> {
  readonly history: readonly GivenEvent<T>[]
  readonly acts: readonly Act<T, S>[]
  /** Key of the last event. */
  readonly key: string | undefined
}

/** A processor, what it has handled before, and what happens now. It runs when it is asked for its end, each time anew. */
export class Scenario<T extends Topic, S> {
  readonly #processor: Processor<T, S>
  readonly #options: KitOptions
  readonly #course: Course<T, S>

  constructor(processor: Processor<T, S>, options: KitOptions, course: Course<T, S>) {
    this.#processor = processor
    this.#options = options
    this.#course = course
  }

  /** Appends further events. */
  when(...events: readonly GivenEvent<T>[]): Scenario<T, S> {
    return this.#and((kit) => kit.append(...events), events.at(-1)?.key)
  }

  /** Lets so many ms pass. */
  pass(ms: number): Scenario<T, S> {
    return this.#and((kit) => kit.pass(ms))
  }

  /**
   * Runs the scenario and compares.
   *
   * @throws AssertionError naming the first thing that is not as expected
   */
  // oxlint-disable-next-line unicorn/no-thenable -- given, when, then; awaited without an expectation it says so
  async then(expected: Expectation<S>): Promise<Outcome<S>> {
    if (typeof expected === 'function')
      throw new TypeError(
        'A scenario is not awaited as it is: say what to expect by then(…), or ask for outcome()',
      )
    const outcome = await this.outcome()
    assertOutcome(outcome, expected)
    return outcome
  }

  /** Runs the scenario and answers what has come of it. */
  async outcome(): Promise<Outcome<S>> {
    const { history, acts, key } = this.#course
    const kit = await startKit(this.#processor, this.#options)
    try {
      if (history.length > 0) await kit.append(...history)
      await kit.outcome(key)
      for (const act of acts) await act(kit)
      return await kit.outcome(key)
    } finally {
      await kit.stop()
    }
  }

  #and(act: Act<T, S>, key = this.#course.key): Scenario<T, S> {
    const { history, acts } = this.#course
    return new Scenario(this.#processor, this.#options, { history, acts: [...acts, act], key })
  }
}
