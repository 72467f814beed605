import type { StatusBoard } from './pipeline-status.ts'
import type { PipelineOrders, PipelineStore } from './pipeline-store.ts'

/** What a tenure is made of. */
export interface TenureOptions {
  readonly store: PipelineStore
  readonly pipeline: string
  readonly token: string
  readonly leaseMs: number
  readonly board: StatusBoard
}

/** The time in which a reader holds a lease: renews it, says how things stand, hears what is ordered. */
export class Tenure {
  readonly #options: TenureOptions
  readonly #lost = new AbortController()
  readonly #listeners = new Set<(orders: PipelineOrders) => void>()
  #orders: PipelineOrders = { paused: false, resumed: 0, restarted: 0, snapshots: {} }
  #timer: NodeJS.Timeout | undefined
  #renewedMs = performance.now()
  #renewing: Promise<void> = Promise.resolve()

  constructor(options: TenureOptions) {
    this.#options = options
  }

  /** Aborted when the lease is lost, or could not be renewed in time. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  get orders(): PipelineOrders {
    return this.#orders
  }

  /**
   * Asks what is ordered, and renews from now on.
   *
   * @throws what the store throws: whoever does not know what is ordered must not begin, it may be a pause
   */
  async begin(): Promise<void> {
    await this.#ask()
    const everyMs = Math.min(1_000, this.#options.leaseMs / 4)
    this.#timer = setInterval(() => {
      this.#renewing = this.#renew()
    }, everyMs)
  }

  /** Called with each answer of the store. The answer ends it. */
  onOrders(listener: (orders: PipelineOrders) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when orders are such, or the signal is aborted. */
  changed(signal: AbortSignal, such: (orders: PipelineOrders) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const off = this.onOrders((orders) => {
        if (such(orders)) end()
      })
      const end = () => {
        off()
        signal.removeEventListener('abort', end)
        resolve()
      }
      signal.addEventListener('abort', end)
      if (signal.aborted || such(this.#orders)) end()
    })
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#renewing
    const { store, pipeline, token, board } = this.#options
    // Whoever cannot say so lets it lapse.
    await store.release(pipeline, token, JSON.stringify(board.look())).catch(() => undefined)
  }

  async #renew(): Promise<void> {
    try {
      await this.#ask()
    } catch {
      // The log or its server is away: others cannot take over either, and the fence decides in any case.
      if (performance.now() - this.#renewedMs > this.#options.leaseMs)
        this.#lose('The lease could not be renewed in time')
    }
  }

  async #ask(): Promise<void> {
    const { store, pipeline, token, leaseMs, board } = this.#options
    const askedMs = performance.now()
    const orders = await store.renew(pipeline, token, leaseMs, JSON.stringify(board.look()))
    if (orders === undefined) return this.#lose('The lease was taken over')
    this.#renewedMs = askedMs
    this.#orders = orders
    for (const listener of this.#listeners) listener(orders)
  }

  #lose(why: string): void {
    if (!this.#lost.signal.aborted) this.#lost.abort(new Error(why))
  }
}
