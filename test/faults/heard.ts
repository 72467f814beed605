/** What was just told, for whoever waits for something of it. */
export class Heard<From, Word> {
  readonly #listeners = new Set<(from: From, word: Word) => void>()

  /** Something is told, to all who wait. */
  tell(from: From, word: Word): void {
    for (const listen of this.#listeners) listen(from, word)
  }

  /** Resolves with true when something that fits is told from now on, with false when it is not in time. */
  until(fits: (from: From, word: Word) => boolean, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (found: boolean) => {
        clearTimeout(timer)
        this.#listeners.delete(listen)
        resolve(found)
      }
      const listen = (from: From, word: Word) => {
        if (fits(from, word)) end(true)
      }
      const timer = setTimeout(() => end(false), withinMs)
      this.#listeners.add(listen)
    })
  }
}
