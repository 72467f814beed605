/** What has happened in a simulation, step by step, so that a violation can be read. */
export class Story {
  readonly #lines: (string | (() => string))[] = []

  /** @param line What has happened; a function where it costs something to say it, and nobody may want to know. */
  tell(line: string | (() => string)): void {
    this.#lines.push(line)
  }

  /** Tokens without their nonces, which are random: a seed tells the same story whenever it is played. */
  get lines(): readonly string[] {
    return this.#lines.map((line) =>
      (typeof line === 'string' ? line : line()).replace(/\b(\d+)-[0-9a-f]{16}\b/g, '$1'),
    )
  }
}

/** A promise that was broken: the simulation ends with it. */
export class Violation extends Error {
  /** Which promise: a guarantee, or that of a call. */
  readonly promise: string

  constructor(promise: string, message: string) {
    super(`${promise}: ${message}`)
    this.name = 'Violation'
    this.promise = promise
  }
}

/** Breaks the story off unless something holds. */
export function demand(holds: boolean, promise: string, message: () => string): asserts holds {
  if (!holds) throw new Violation(promise, message())
}
