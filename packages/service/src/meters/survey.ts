/** Looks that several gauges share: those of one scrape get the same answer, and nobody looks twice at a time. */
export class Survey<T> {
  readonly #look: () => Promise<T>
  readonly #keepMs: number
  readonly #elapsedMs: () => number
  #latest: { readonly atMs: number; readonly found: Promise<T> } | undefined

  /** `keepMs`: how long an answer is given out again. Default 1,000. */
  constructor(
    look: () => Promise<T>,
    options: { readonly keepMs?: number; readonly elapsedMs?: () => number } = {},
  ) {
    this.#look = look
    this.#keepMs = options.keepMs ?? 1_000
    this.#elapsedMs = options.elapsedMs ?? (() => performance.now())
  }

  get(): Promise<T> {
    const now = this.#elapsedMs()
    if (this.#latest === undefined || now - this.#latest.atMs >= this.#keepMs)
      this.#latest = { atMs: now, found: this.#look() }
    return this.#latest.found
  }
}
