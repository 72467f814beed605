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

/**
 * The time in which a reader holds a lease: renews it, says how things stand, hears what is ordered. One renewal at a time;
 * the holding ends when the lease has run out since the last one that was answered had been asked for.
 */
export class Tenure {
  readonly #options: TenureOptions
  readonly #lost = new AbortController()
  readonly #listeners = new Set<(orders: PipelineOrders) => void>()
  #orders: PipelineOrders = { paused: false, resumed: 0, restarted: 0, snapshots: {} }
  #next: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  #renewing: Promise<void> = Promise.resolve()
  #ended = false

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
    const askedMs = performance.now()
    this.#holdFrom(askedMs)
    await this.#ask(askedMs)
    this.#plan(askedMs)
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
    this.#ended = true
    clearTimeout(this.#next)
    clearTimeout(this.#deadline)
    await this.#renewing
    const { store, pipeline, token, board } = this.#options
    // Whoever cannot say so lets it lapse.
    await store.release(pipeline, token, JSON.stringify(board.look())).catch(() => undefined)
  }

  /** The next renewal is due a while after the last one was asked for, and begins when that has been answered. */
  #plan(askedMs: number): void {
    if (this.#ended || this.#lost.signal.aborted) return
    const dueMs = askedMs + Math.min(1_000, this.#options.leaseMs / 4)
    this.#next = setTimeout(
      () => {
        this.#renewing = this.#renew()
      },
      Math.max(0, dueMs - performance.now()),
    )
  }

  async #renew(): Promise<void> {
    const askedMs = performance.now()
    try {
      await this.#ask(askedMs)
    } catch {
      // The log or its server is away: the deadline ends the holding, and the fence decides in any case.
    }
    this.#plan(askedMs)
  }

  async #ask(askedMs: number): Promise<void> {
    const { store, pipeline, token, leaseMs, board } = this.#options
    const orders = await store.renew(pipeline, token, leaseMs, JSON.stringify(board.look()))
    if (orders === undefined) return this.#lose('The lease was taken over')
    // Others may have it by now, or take it any moment: what a late answer says is not this holder's any more.
    if (this.#ended || !this.#holdFrom(askedMs)) return
    this.#orders = orders
    for (const listener of this.#listeners) listener(orders)
  }

  /** Answers whether the lease has not run out since then, and ends the holding when it will have. */
  #holdFrom(askedMs: number): boolean {
    if (this.#lost.signal.aborted) return false
    const overdue = 'The lease could not be renewed in time'
    const leftMs = askedMs + this.#options.leaseMs - performance.now()
    clearTimeout(this.#deadline)
    if (leftMs > 0) this.#deadline = setTimeout(() => this.#lose(overdue), leftMs)
    else this.#lose(overdue)
    return leftMs > 0
  }

  #lose(why: string): void {
    if (!this.#lost.signal.aborted) this.#lost.abort(new Error(why))
  }
}
