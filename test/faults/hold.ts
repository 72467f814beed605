/** Holds a call back, for as long as a run wants it. */
export class Hold {
  readonly #holding: () => void
  #held: PromiseWithResolvers<void> | undefined

  /** @param holding Told of each call that is held back. */
  constructor(holding: () => void) {
    this.#holding = holding
  }

  begin(): void {
    this.#held ??= Promise.withResolvers<void>()
  }

  end(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  /** Resolves when the call may go out. */
  async passed(): Promise<void> {
    if (this.#held) this.#holding()
    await this.#held?.promise
  }
}
