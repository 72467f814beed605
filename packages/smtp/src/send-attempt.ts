/** How long the two halves of a send may take. They differ, as a lost second half may be a duplicate. */
export interface AttemptLimits {
  /** Milliseconds from the start until the mail is handed over. */
  readonly handOverTimeoutMs: number
  /** Milliseconds from there until the answer. */
  readonly answerTimeoutMs: number
}

/** One try at handing a mail over: knows how far it came, and why it was given up. */
export class SendAttempt {
  readonly #controller = new AbortController()
  readonly #limits: AttemptLimits
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.#giveUp('aborted')
  #timer: NodeJS.Timeout
  #handedOver = false
  #givenUp: 'timeout' | 'aborted' | undefined

  constructor(limits: AttemptLimits, signal?: AbortSignal) {
    this.#limits = limits
    this.#signal = signal
    this.#timer = setTimeout(() => this.#giveUp('timeout'), limits.handOverTimeoutMs)
    if (signal?.aborted === true) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Aborted when the time is up or the caller gives up. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Everything up to the last byte has left: from now on the provider may have the mail. */
  get handedOver(): boolean {
    return this.#handedOver
  }

  /** Why we gave up, if we did. */
  get givenUp(): 'timeout' | 'aborted' | undefined {
    return this.#givenUp
  }

  handOver(): void {
    if (this.#handedOver || this.#givenUp !== undefined) return
    this.#handedOver = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#giveUp('timeout'), this.#limits.answerTimeoutMs)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  #giveUp(why: 'timeout' | 'aborted'): void {
    this.#givenUp ??= why
    this.#controller.abort()
  }
}
