import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Writable } from 'node:stream'
import { Backoff } from './backoff.ts'
import type { HostOrder, HostReport } from './host-messages.ts'
import { StartRefused } from './start-refused.ts'
import { serviceFlags } from './node-flags.ts'

export interface ServiceProcessOptions {
  readonly order: HostOrder
  /** Of the servers that the services use: those outlive the supervisor until the services have ended. */
  readonly lifelines: () => readonly Writable[]
  readonly say: (sentence: string) => void
  /** The process was started (again). */
  readonly launched: () => void
}

/** After this time, in ms, a process that was asked to stop is killed. */
const stopTimeoutMs = 15_000

/** One service process; when it crashes it is started again, with back-off. */
export class ServiceProcess {
  readonly #options: ServiceProcessOptions
  readonly #backoff = new Backoff()
  #child: ChildProcess | undefined
  #startedAt = 0
  #stopping = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: ServiceProcessOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get #name(): string {
    const { names } = this.#options.order
    return names.length === 1 ? `Service ${names[0]}` : 'The service process'
  }

  /**
   * Starts it for the first time; resolves when its services answer.
   *
   * @throws {StartRefused} when they do not come up: the first time, that is more likely a mistake than bad luck
   */
  async start(): Promise<void> {
    const failure = await this.#launch()
    if (failure === undefined) return
    this.#stopping = true
    throw new StartRefused(`${this.#name} did not start: ${failure}`)
  }

  /** Asks it to stop, and kills it when it does not. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#retry)
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    if (child.connected) child.disconnect()
    const impatient = setTimeout(() => {
      this.#options.say(`${this.#name} did not stop in ${stopTimeoutMs / 1_000} s and is killed.`)
      child.kill('SIGKILL')
    }, stopTimeoutMs)
    await exited
    clearTimeout(impatient)
  }

  /** Resolves with undefined when the services answer, else with the reason; later crashes are handled here. */
  #launch(): Promise<string | undefined> {
    this.#startedAt = Date.now()
    const child = spawn(
      process.execPath,
      [...serviceFlags, path.join(import.meta.dirname, 'service-host.ts')],
      {
        // A session of its own: Ctrl-C in the terminal is the supervisor's to hand on.
        detached: true,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...this.#options.lifelines()],
      },
    )
    this.#child = child
    this.#options.launched()
    child.send(this.#options.order, (error) => {
      if (error !== null) this.#options.say(`${this.#name} took no order (${error.message}).`)
    })
    return new Promise((resolve) => {
      let ready = false
      let failure: string | undefined
      child.on('message', (report: HostReport) => {
        if (report.type === 'failed') failure = report.message
        else {
          ready = true
          resolve(undefined)
        }
      })
      child.on('error', (error) => resolve(error.message))
      child.on('exit', (code, signal) => {
        const how = signal ?? `exit code ${code}`
        if (ready) this.#again(how)
        else resolve(failure ?? how)
      })
    })
  }

  #again(how: string): void {
    if (this.#stopping) return
    const waitMs = this.#backoff.next(Date.now() - this.#startedAt)
    this.#options.say(`${this.#name} ended unexpectedly (${how}). It is started again in ${waitMs} ms.`)
    this.#retry = setTimeout(() => {
      void this.#launch().then((failure) => {
        if (failure === undefined) this.#options.say(`${this.#name} is running again.`)
        else this.#again(failure)
      })
    }, waitMs)
  }
}
