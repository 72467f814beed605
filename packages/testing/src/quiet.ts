/** Turns of the event loop without a call after which a pipeline counts as quiet. */
const quietTurns = 12
/** How long real work, such as an awaited file, may keep the kit waiting, in ms. */
export const patienceMs = 5_000

/** Knows when nothing moves any more: no call of log or store, no running handler. */
export class Quiet {
  #calls = 0
  #underWay = 0
  #handlers = 0

  /** Counts the calls of some of an object's methods. */
  counted<T extends object>(target: T, names: readonly (keyof T & string)[]): T {
    const wanted = new Set<string>(names)
    return new Proxy(target, {
      get: (object, name) => {
        const method: unknown = Reflect.get(object, name)
        if (typeof method !== 'function') return method
        return (...args: readonly unknown[]) => {
          const call = () => Reflect.apply(method, object, args) as unknown
          return wanted.has(String(name)) ? this.#counted(call) : call()
        }
      },
    })
  }

  /** Counts a handler while it runs. */
  async handler<T>(run: () => T | Promise<T>): Promise<T> {
    this.#handlers += 1
    try {
      return await run()
    } finally {
      this.#handlers -= 1
      this.#calls += 1
    }
  }

  /** Resolves when nothing moves. @throws Error when a handler waits for something for too long */
  async wait(): Promise<void> {
    const startMs = performance.now()
    for (let quiet = 0; quiet < quietTurns;) {
      const before = this.#calls
      await turn()
      quiet = before === this.#calls && this.#underWay === 0 ? quiet + 1 : 0
      if (quiet < quietTurns || this.#handlers === 0) continue
      if (performance.now() - startMs > patienceMs)
        throw new Error(
          `A handler has not ended within ${patienceMs} ms. Does it wait for a timer? Let time pass by kit.pass()`,
        )
      await new Promise((resolve) => setTimeout(resolve, 1))
      quiet = 0
    }
  }

  async #counted(call: () => unknown): Promise<unknown> {
    this.#calls += 1
    this.#underWay += 1
    try {
      return await call()
    } finally {
      this.#underWay -= 1
      this.#calls += 1
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
