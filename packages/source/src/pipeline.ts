import { freshId, MillraceError } from '@millrace/event'
import type { Fence } from '@millrace/log'
import { abortablePause } from './abortable-pause.ts'
import type { PipelineOptions } from './pipeline-options.ts'
import { runSession } from './pipeline-session.ts'
import { type PipelineState, type PipelineStatus, StatusBoard } from './pipeline-status.ts'
import { pipelineName } from './pipeline-store.ts'
import { counterOf } from '@millrace/log'
import { Tenure } from './tenure.ts'

/** A reader of a pipeline. Any number of them may run: one reads, the others stand by. */
export interface Pipeline {
  readonly name: string
  start(): void
  /** Lets go of the lease, so that another one goes on at once, and closes the source. */
  stop(): Promise<void>
  status(): PipelineStatus
  health(): { readonly state: 'ok' | 'degraded' | 'down'; readonly message?: string }
}

/** Makes a reader of a pipeline; nothing is connected before `start`. */
export function createPipeline(options: PipelineOptions): Pipeline {
  if (!pipelineName.test(options.pipeline))
    throw new TypeError('The name of a pipeline is at most 40 lower case letters, digits and dashes')
  const tables = options.mappings.map(({ table }) => table)
  if (tables.length === 0 || new Set(tables).size !== tables.length)
    throw new TypeError(`Pipeline ${options.pipeline} maps each of its tables once, and at least one`)
  return new RunningPipeline(options)
}

const firstRetryMs = 100

class RunningPipeline implements Pipeline {
  readonly #options: PipelineOptions
  readonly #holder: string
  readonly #board: StatusBoard
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #above = 0
  #isMeasuring = false
  #told: PipelineState | undefined

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#holder = options.holder ?? freshId()
    this.#board = new StatusBoard(options.mappings.map(({ table }) => table))
  }

  get name(): string {
    return this.#options.pipeline
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The pipeline is being stopped'))
    await this.#running
    this.#say('ended')
    await this.#options.source.close()
  }

  status(): PipelineStatus {
    return this.#board.look()
  }

  health(): { readonly state: 'ok' | 'degraded' | 'down'; readonly message?: string } {
    const { state, error } = this.#board
    if (state === 'stopped') return { state: 'down', message: error?.message ?? 'stopped' }
    if (state === 'waiting') return { state: 'degraded', message: error?.message ?? 'waits' }
    if (state === 'paused') return { state: 'degraded', message: 'is paused by an operator' }
    return { state: 'ok' }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { store, pipeline, leaseMs = 5_000, standbyMs = 500 } = this.#options
    while (!signal.aborted) {
      try {
        const asked = { pipeline, holder: this.#holder, leaseMs, above: this.#above }
        const answer = await store.take(asked)
        if (answer.status === 'leased') await this.#hold({ name: pipeline, token: answer.token }, leaseMs)
        else this.#say('standby')
      } catch (error) {
        this.#say('waiting', error)
      }
      await abortablePause(standbyMs, signal)
    }
  }

  /** Sessions, one after the other, as long as the lease is held. */
  async #hold(fence: Fence, leaseMs: number): Promise<void> {
    const { store, pipeline, retryMs = 5_000 } = this.#options
    const tenure = new Tenure({ store, pipeline, leaseMs, token: fence.token, board: this.#board })
    const signal = AbortSignal.any([this.#stopping.signal, tenure.signal])
    const measuring = setInterval(() => void this.#measure(), this.#options.lagMs ?? 5_000)
    try {
      await tenure.begin()
      void this.#measure()
      let waitMs = firstRetryMs
      while (!signal.aborted) {
        if (tenure.orders.paused) {
          this.#say('paused')
          await tenure.changed(signal, (orders) => !orders.paused)
          continue
        }
        const began = performance.now()
        try {
          await this.#session(fence, tenure, signal)
        } catch (error) {
          if (signal.aborted) return
          if (isFenced(error)) return this.#fencedBy(error)
          if (performance.now() - began > 10 * retryMs) waitMs = firstRetryMs
          await this.#recover(error, tenure, signal, waitMs)
          waitMs = Math.min(waitMs * 2, retryMs)
        }
      }
    } finally {
      clearInterval(measuring)
      await tenure.end()
    }
  }

  async #session(fence: Fence, tenure: Tenure, signal: AbortSignal): Promise<void> {
    const pausing = new AbortController()
    const off = tenure.onOrders((orders) => {
      if (orders.paused) pausing.abort(new Error('The pipeline is paused'))
    })
    try {
      const ended = AbortSignal.any([signal, pausing.signal])
      const orders = () => tenure.orders
      this.#tell()
      const watch = setInterval(() => this.#tell(), 200)
      try {
        await runSession({ options: this.#options, fence, board: this.#board, signal: ended, orders })
      } catch (error) {
        if (!ended.aborted) throw error
      } finally {
        clearInterval(watch)
      }
    } finally {
      off()
    }
  }

  /** What a repeat does not mend waits for an operator; anything else for a moment. */
  async #recover(error: unknown, tenure: Tenure, signal: AbortSignal, waitMs: number): Promise<void> {
    const lasting = error instanceof MillraceError && isLasting(error)
    this.#say(lasting ? 'stopped' : 'waiting', error)
    if (!lasting) return abortablePause(waitMs, signal)
    const { resumed } = tenure.orders
    await tenure.changed(signal, (orders) => orders.resumed > resumed || orders.paused)
    this.#board.error = undefined
  }

  /** How far the source is ahead, also while nothing is read: that is when it matters. */
  async #measure(): Promise<void> {
    if (this.#isMeasuring) return
    this.#isMeasuring = true
    try {
      const lag = await this.#options.source.lag()
      this.#board.behindBytes = lag?.behindBytes
      this.#board.retainedBytes = lag?.retainedBytes
    } catch {
      // The stream itself notices when the source is away; what was measured last stands.
    } finally {
      this.#isMeasuring = false
    }
  }

  /** Somebody has set a later fence: the next token must be above it, in case the store was set back. */
  #fencedBy(error: MillraceError): void {
    const token = error.details['token']
    if (typeof token === 'string') this.#above = counterOf(token)
    this.#say('standby')
  }

  #say(state: PipelineState, error?: unknown): void {
    this.#board.state = state
    if (error !== undefined)
      this.#board.error = {
        code: error instanceof MillraceError ? error.code : 'internal',
        message: error instanceof Error ? error.message : 'something that is no error was thrown',
      }
    else if (state !== 'ended') this.#board.error = undefined
    this.#tell()
  }

  #tell(): void {
    if (this.#told === this.#board.state) return
    this.#told = this.#board.state
    this.#options.observe?.(this.#board.look())
  }
}

function isFenced(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.code === 'append.channel-fenced'
}

function isLasting({ code, retryable }: MillraceError): boolean {
  return !retryable && code !== 'append.channel-gap' && code !== 'internal'
}
