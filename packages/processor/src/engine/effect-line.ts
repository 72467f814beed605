/** A key whose next effect waits for its turn. */
export interface InLine {
  readonly key: string
  /** Its place in the order of recording, as far as this member knows it. */
  readonly place: number
}

/** Keys whose next effect has the same name, in the order in which their effects were recorded. */
export class EffectLine {
  readonly #line: InLine[] = []

  get length(): number {
    return this.#line.length
  }

  /** Puts a key into its place: what failed comes back before what was recorded later. */
  add(one: InLine): void {
    let at = this.#line.length
    // Mostly it is the last, or among the first.
    if (at > 0 && (this.#line[at - 1] as InLine).place > one.place) {
      let low = 0
      while (low < at) {
        const middle = (low + at) >> 1
        if ((this.#line[middle] as InLine).place < one.place) low = middle + 1
        else at = middle
      }
    }
    this.#line.splice(at, 0, one)
  }

  /** Takes out a key, wherever it stands. */
  remove(key: string): void {
    const at = this.#line.findIndex((one) => one.key === key)
    if (at >= 0) this.#line.splice(at, 1)
  }

  /** Takes out the one at that place; there must be one. */
  take(at: number): InLine {
    const taken = at === 0 ? this.#line.shift() : this.#line.splice(at, 1)[0]
    if (taken === undefined) throw new TypeError('Bug: nobody is in line there')
    return taken
  }
}
