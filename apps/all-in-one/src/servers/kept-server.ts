import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { Backoff } from '../backoff.ts'
import { pinnedNode } from '../pinned-node.ts'
import type { KeeperCommand, KeeperReport, KeeperSpec } from './keeper-messages.ts'

/** A server could not be started; the message ends with what the server printed last. */
export class ServerFailed extends Error {
  override readonly name = 'ServerFailed'
}

/** A server with its keeper. It runs until `stop`, or until every process that holds the lifeline is gone. */
export class KeptServer {
  readonly #spec: KeeperSpec
  readonly #say: (sentence: string) => void
  readonly #backoff = new Backoff()
  #keeper: ChildProcess | undefined
  #startedAt = 0
  #stopping = false
  #retry: NodeJS.Timeout | undefined
  #waiting: ((report: KeeperReport) => void)[] = []

  constructor(spec: KeeperSpec, say: (sentence: string) => void = () => undefined) {
    this.#spec = spec
    this.#say = say
  }

  /** Pass it to a child's `stdio`, and the server outlives us until that child has ended too. */
  get lifeline(): Writable | undefined {
    return this.#keeper?.stdin ?? undefined
  }

  get keeperPid(): number | undefined {
    return this.#keeper?.pid
  }

  /**
   * Starts keeper and server; resolves when the server answers.
   *
   * @throws {ServerFailed} when it does not come up
   */
  async start(): Promise<void> {
    const report = await this.#open()
    if (report.type !== 'failed') return
    this.#stopping = true
    throw this.#failure(report)
  }

  /** SIGKILL to the server itself; it stays down until `restart`. */
  async kill(): Promise<void> {
    await this.#command('kill', 'down')
  }

  /** Stops the server cleanly if it runs, and starts it again on the same data. */
  async restart(): Promise<void> {
    const report = await this.#command('restart', 'ready')
    if (report.type === 'failed') throw this.#failure(report)
  }

  /** Stops the server cleanly; resolves when server and keeper are gone. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#retry)
    const keeper = this.#keeper
    if (keeper === undefined || keeper.exitCode !== null || keeper.signalCode !== null) return
    const closed = once(keeper, 'close')
    keeper.stdin?.end()
    await closed
  }

  #open(): Promise<KeeperReport> {
    this.#startedAt = Date.now()
    const keeper = spawn(pinnedNode(), [path.join(import.meta.dirname, 'keeper.ts')], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {},
      cwd: '/',
    })
    this.#keeper = keeper
    // A write to a keeper that has just been killed fails; its exit is what counts.
    keeper.stdin.on('error', () => undefined)
    createInterface({ input: keeper.stdout }).on('line', (line) =>
      this.#hear(JSON.parse(line) as KeeperReport),
    )
    keeper.on('close', () => this.#keeperGone(keeper))
    const first = this.#next('ready', 'failed')
    keeper.stdin.write(`${JSON.stringify(this.#spec)}\n`)
    return first
  }

  async #command(command: KeeperCommand, expected: KeeperReport['type']): Promise<KeeperReport> {
    const answer = this.#next(expected, 'failed')
    this.#keeper?.stdin?.write(`${JSON.stringify(command)}\n`)
    return await answer
  }

  #next(...types: KeeperReport['type'][]): Promise<KeeperReport> {
    return new Promise((resolve) => {
      const take = (report: KeeperReport): void => {
        if (!types.includes(report.type)) return
        this.#waiting = this.#waiting.filter((other) => other !== take)
        resolve(report)
      }
      this.#waiting.push(take)
    })
  }

  #hear(report: KeeperReport): void {
    const { name } = this.#spec
    if (report.type === 'crashed') {
      const next = report.restartInMs === null ? '' : ` It is started again in ${report.restartInMs} ms.`
      this.#say(`${name} ended unexpectedly (${report.how}).${next}`)
    } else if (report.type === 'leftover') {
      this.#say(
        `${name} of an earlier run was still there (pid ${report.pids.join(', ')}) and has been stopped.`,
      )
    }
    for (const take of this.#waiting) take(report)
  }

  #keeperGone(keeper: ChildProcess): void {
    const { name } = this.#spec
    const how = keeper.signalCode ?? `exit code ${String(keeper.exitCode)}`
    // Whoever waits must not wait for ever.
    for (const take of this.#waiting) take({ type: 'failed', reason: `its keeper ended: ${how}`, output: '' })
    if (this.#stopping || !this.#spec.restart) return
    const waitMs = this.#backoff.next(Date.now() - this.#startedAt)
    this.#say(`The keeper of ${name} ended unexpectedly (${how}). ${name} is started again in ${waitMs} ms.`)
    this.#retry = setTimeout(() => {
      void this.#open().then((report) => {
        if (report.type === 'failed') this.#say(this.#failure(report).message)
      })
    }, waitMs)
  }

  #failure(report: KeeperReport & { readonly type: 'failed' }): ServerFailed {
    return new ServerFailed(
      `${this.#spec.name} did not start (${report.reason}).\n${report.output}`.trimEnd(),
    )
  }
}
