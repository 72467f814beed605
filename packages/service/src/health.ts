import { maskText } from '@millrace/event'

/** State of a dependency or of a whole service. */
export type HealthState = 'ok' | 'degraded' | 'down'

/** What a check found. A check that just returns is `ok`, one that throws is `down`. */
export interface HealthFinding {
  readonly state: HealthState
  /** For the operator; shown to whoever asks, masked. */
  readonly message?: string
}

/** One dependency in a report. */
export interface DependencyHealth extends HealthFinding {
  /** How long the check took, in ms. */
  readonly ms: number
}

/** The state of a service, and of each thing it depends on. */
export interface HealthReport {
  readonly state: HealthState
  readonly dependencies: Readonly<Record<string, DependencyHealth>>
}

/** A dependency to look at. */
export interface HealthCheck {
  readonly name: string
  check(signal: AbortSignal): Promise<HealthFinding | void> | HealthFinding | void
  /** Without it the service does less but works: when it is down, the whole is `degraded`. Default true. */
  readonly critical?: boolean
  /** Default 1,000. */
  readonly timeoutMs?: number
}

/**
 * Knows how a service and its dependencies are. Checks run side by side, each within its own time limit;
 * whoever asks while they run, or shortly after, gets the same answer. A check that hangs is not started a
 * second time.
 */
export class Health {
  readonly #checks: HealthCheck[] = []
  readonly #hanging = new Set<HealthCheck>()
  readonly #cacheMs: number
  readonly #nowMs: () => number
  #starting = 0
  #latest: { readonly atMs: number; readonly report: Promise<HealthReport> } | undefined

  /** `cacheMs`: how long a report is given out again. Default 500. */
  constructor(options: { readonly cacheMs?: number; readonly nowMs?: () => number } = {}) {
    this.#cacheMs = options.cacheMs ?? 500
    this.#nowMs = options.nowMs ?? (() => performance.now())
  }

  add(check: HealthCheck): this {
    this.#checks.push(check)
    return this
  }

  /** Something is being started: until what it returns is called, {@link started} is false and the report `down`. */
  starting(name: string): () => void {
    let started = false
    this.#starting += 1
    this.add({
      name,
      check: () => (started ? undefined : { state: 'down', message: 'are being started' }),
    })
    return () => {
      if (started) return
      started = true
      this.#starting -= 1
      this.#latest = undefined
    }
  }

  /** Whether everything that was being started has been. It never becomes false again by itself. */
  get started(): boolean {
    return this.#starting === 0
  }

  /** The present report. Never throws. */
  report(): Promise<HealthReport> {
    const now = this.#nowMs()
    if (!this.#latest || now - this.#latest.atMs >= this.#cacheMs)
      this.#latest = { atMs: now, report: this.#run() }
    return this.#latest.report
  }

  async #run(): Promise<HealthReport> {
    const found = await Promise.all(
      this.#checks.map(async (check) => [check, await this.#look(check)] as const),
    )
    let state: HealthState = 'ok'
    for (const [check, { state: one }] of found) {
      const counts = one === 'down' && check.critical === false ? 'degraded' : one
      if (severity[counts] > severity[state]) state = counts
    }
    return { state, dependencies: Object.fromEntries(found.map(([{ name }, health]) => [name, health])) }
  }

  async #look(check: HealthCheck): Promise<DependencyHealth> {
    const from = this.#nowMs()
    const finding = this.#hanging.has(check) ? stillHanging : await this.#ask(check)
    const message = finding.message === undefined ? {} : { message: maskText(finding.message).slice(0, 300) }
    return { state: finding.state, ...message, ms: Math.round(this.#nowMs() - from) }
  }

  async #ask(check: HealthCheck): Promise<HealthFinding> {
    const timeoutMs = check.timeoutMs ?? 1_000
    const controller = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<HealthFinding>((resolve) => {
      timer = setTimeout(() => {
        resolve({ state: 'down', message: `did not answer within ${timeoutMs} ms` })
        controller.abort()
      }, timeoutMs)
    })
    this.#hanging.add(check)
    const asked = this.#answerOf(check, controller.signal).finally(() => this.#hanging.delete(check))
    try {
      return await Promise.race([asked, late])
    } finally {
      clearTimeout(timer)
    }
  }

  async #answerOf(check: HealthCheck, signal: AbortSignal): Promise<HealthFinding> {
    try {
      return (await check.check(signal)) ?? { state: 'ok' }
    } catch (error) {
      return { state: 'down', message: error instanceof Error ? error.message : String(error) }
    }
  }
}

const severity = { ok: 0, degraded: 1, down: 2 } as const
const stillHanging: HealthFinding = { state: 'down', message: 'the last check has not come back yet' }
