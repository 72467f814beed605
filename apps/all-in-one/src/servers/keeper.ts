/**
 * A keeper: the small process that owns one server.
 *
 * It runs in a session of its own, so that a Ctrl-C in the terminal reaches the supervisor alone. Its stdin is the
 * lifeline: as long as somebody holds the other end, the server runs; when the last holder is gone, for whatever
 * reason (SIGKILL among them), the server is stopped cleanly and the keeper ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Backoff } from '../backoff.ts'
import type { KeeperCommand, KeeperReport, KeeperSpec } from './keeper-messages.ts'
import { clearLeftovers } from './leftover.ts'
import { OutputLog } from './output-log.ts'

class Keeper {
  readonly #spec: KeeperSpec
  readonly #log: OutputLog
  readonly #backoff = new Backoff()
  #server: ChildProcess | undefined
  #startedAt = 0
  #wasReady = false
  /** Set while the server is down on purpose, so that its end is not taken for a crash. */
  #held = false
  #stopping = false
  #retry: NodeJS.Timeout | undefined

  constructor(spec: KeeperSpec) {
    this.#spec = spec
    this.#log = new OutputLog(spec.logFile)
  }

  async start(): Promise<void> {
    const pids = await this.#clear()
    if (pids.length > 0) report({ type: 'leftover', pids })
    if (!this.#stopping) this.#launch()
  }

  async obey(command: KeeperCommand): Promise<void> {
    this.#held = true
    clearTimeout(this.#retry)
    await this.#end(command === 'kill' ? 'SIGKILL' : this.#spec.stopSignal)
    if (command === 'kill') report({ type: 'down' })
    else await this.#launchAnew()
  }

  async stop(): Promise<void> {
    this.#held = true
    this.#stopping = true
    clearTimeout(this.#retry)
    await this.#end(this.#spec.stopSignal)
    this.#log.close()
    for (const directory of this.#spec.removeAtEnd) rmSync(directory, { recursive: true, force: true })
  }

  #clear(): Promise<number[]> {
    const { home, stopSignal, stopTimeoutMs } = this.#spec
    return clearLeftovers(home, stopSignal, stopTimeoutMs)
  }

  /** After a crash: the server's own children may need a moment more to end. */
  async #launchAnew(): Promise<void> {
    await this.#clear()
    if (!this.#stopping) this.#launch()
  }

  #launch(): void {
    const { command, args, env, cwd, user, readyTimeoutMs } = this.#spec
    this.#held = false
    this.#startedAt = Date.now()
    const server = spawn(command, args, { env, cwd, ...user, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#server = server
    const late = setTimeout(() => server.kill('SIGKILL'), readyTimeoutMs)
    let ready = false
    const read = (line: string): void => {
      this.#log.write(line)
      if (ready || !line.toLowerCase().includes(this.#spec.readyText)) return
      ready = true
      this.#wasReady = true
      clearTimeout(late)
      report({ type: 'ready', pid: server.pid ?? 0 })
    }
    for (const stream of [server.stdout, server.stderr]) createInterface({ input: stream }).on('line', read)
    server.on('error', (error) => this.#log.write(error.message))
    // 'close' comes after the last line of output, so that a failure can be told with its reason.
    server.on('close', (code, signal) => {
      clearTimeout(late)
      this.#server = undefined
      if (!this.#held) this.#ended(ready, signal ?? `exit code ${String(code)}`)
    })
  }

  #ended(wasReady: boolean, how: string): void {
    if (!wasReady) {
      report({ type: 'failed', reason: how, output: this.#log.lastLines })
      if (!this.#wasReady) {
        void this.stop().then(() => process.exit(1))
        return
      }
    }
    const restartInMs = this.#spec.restart ? this.#backoff.next(Date.now() - this.#startedAt) : null
    if (wasReady) report({ type: 'crashed', how, restartInMs })
    if (restartInMs !== null) this.#retry = setTimeout(() => void this.#launchAnew(), restartInMs)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.once('close', () => resolve()))
    server.kill(signal)
    const impatient = setTimeout(() => server.kill('SIGKILL'), this.#spec.stopTimeoutMs)
    await closed
    clearTimeout(impatient)
  }
}

function report(message: KeeperReport): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

// Nobody may be listening any more; the closed lifeline tells us the same.
process.stdout.on('error', () => undefined)
for (const signal of ['SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => undefined)

const lines = createInterface({ input: process.stdin })
let keeper: Keeper | undefined
let busy: Promise<void> = Promise.resolve()
const finish = (): void => {
  // A server that hangs while it starts must not delay the end, so commands in hand are not waited for.
  void (keeper?.stop() ?? Promise.resolve()).then(() => process.exit(0))
}
lines.on('line', (line) => {
  if (keeper === undefined) {
    keeper = new Keeper(JSON.parse(line) as KeeperSpec)
    busy = keeper.start()
    return
  }
  const running = keeper
  const command = JSON.parse(line) as KeeperCommand
  busy = busy.then(() => running.obey(command))
})
lines.on('close', finish)
process.on('SIGTERM', finish)
