/** Waiting times between restarts: doubling from `firstMs` to `mostMs`, from the start again after a healthy time. */
export interface BackoffOptions {
  /** Wait before the first restart, in ms. */
  readonly firstMs: number
  /** Longest wait, in ms. */
  readonly mostMs: number
  /** A run that lasted this long, in ms, counts as healthy. */
  readonly healthyMs: number
}

const defaults = { firstMs: 250, mostMs: 15_000, healthyMs: 30_000 } satisfies BackoffOptions

export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor(options: Partial<BackoffOptions> = {}) {
    this.#options = { ...defaults, ...options }
  }

  /** The wait in ms before the next start, after a run that lasted `ranMs`. */
  next(ranMs: number): number {
    if (ranMs >= this.#options.healthyMs) this.#failures = 0
    const waitMs = Math.min(this.#options.mostMs, this.#options.firstMs * 2 ** this.#failures)
    // Held at 30 so that the power stays finite however long something keeps crashing.
    this.#failures = Math.min(this.#failures + 1, 30)
    return waitMs
  }
}
