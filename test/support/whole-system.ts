import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RunningNote } from '../../apps/all-in-one/src/home.ts'
import type { Secrets } from '../../apps/all-in-one/src/secrets.ts'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'
import { serviceRegistry } from '../../apps/all-in-one/src/services.ts'

const portNames = [
  'GATEWAY',
  'UNIQ',
  'OPS',
  'INBOX',
  'USER_COMMAND',
  'USER_QUERY',
  'MAIL',
  'LEADS',
  'LEGACY_LEADS',
  'PURCHASING',
  'RESTOCKING',
  'PLANNER',
] as const
const pollMs = 20
const patienceMs = 150_000
const attempts = 5

/** How a system is started. */
export interface WholeSystemOptions {
  /** Each service in a process of its own. Default: all in one. */
  readonly separate?: boolean
  readonly env?: Readonly<Record<string, string>>
}

/** Everything that `npm start` starts, with a home and ports of its own; gone with the test even if that is killed. */
export class WholeSystem {
  readonly home: string
  readonly #child: ChildProcess
  readonly #ports: ReadonlyMap<string, number>
  readonly #ended: Promise<unknown>
  readonly #separate: boolean
  #output = ''

  private constructor(home: string, ports: ReadonlyMap<string, number>, options: WholeSystemOptions) {
    this.home = home
    this.#ports = ports
    this.#separate = options.separate === true
    const program = path.join(import.meta.dirname, '../../apps/all-in-one/src/supervisor.ts')
    this.#child = spawn(process.execPath, [program, ...(this.#separate ? ['--separate'] : [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        MILLRACE_HOME: home,
        MILLRACE_PARENT_PID: String(process.pid),
        PASSWORD_COST: 'cheap',
        CLIENT_LIMITS: 'off',
        LOG_LEVEL: 'warn',
        LOG_FORMAT: 'pretty',
        ...Object.fromEntries([...ports].map(([name, port]) => [`${name}_PORT`, String(port)])),
        ...options.env,
      },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (piece: Buffer) => (this.#output += piece.toString()))
    this.#ended = once(this.#child, 'close')
  }

  /** Resolves when everything answers. */
  static async start(options: WholeSystemOptions = {}): Promise<WholeSystem> {
    for (let attempt = 1; ; attempt += 1) {
      const home = mkdtempSync(path.join(tmpdir(), 'millrace-system-'))
      // PostgreSQL, which root hands to another user, has its data below.
      chmodSync(home, 0o711)
      const ports = new Map<string, number>()
      for (const name of portNames) ports.set(name, await freePort())
      const system = new WholeSystem(home, ports, options)
      try {
        await system.says('Millrace is running')
        return system
      } catch (error) {
        await system.stop()
        // Somebody else may have taken a port between asking and listening.
        const taken = /is taken by|already in use/.test(system.output)
        if (!taken || attempt === attempts) throw error
      }
    }
  }

  /** Everything that it has said. */
  get output(): string {
    return this.#output
  }

  urlOf(service: (typeof portNames)[number]): string {
    return `http://127.0.0.1:${this.#ports.get(service)}`
  }

  get redisUrl(): string {
    return this.#note.redisUrl ?? ''
  }

  get databaseUrl(): string {
    return this.#note.databaseUrl ?? ''
  }

  get secrets(): Secrets {
    return JSON.parse(readFileSync(path.join(this.home, 'secrets.json'), 'utf8')) as Secrets
  }

  /** SIGKILL to the process of one service. Resolves with its pid when the supervisor has seen its end. */
  async kill(service: string): Promise<number> {
    const pid = this.#pidOf(service)
    const said = `Service ${service} ended unexpectedly (SIGKILL)`
    const before = this.#count(said)
    process.kill(pid, 'SIGKILL')
    await this.#until(`${service} is gone`, () => this.#count(said) > before)
    return pid
  }

  /** Lets the process of one service hang, with all its connections open. */
  pause(service: string): void {
    process.kill(this.#pidOf(service), 'SIGSTOP')
  }

  goOn(service: string): void {
    process.kill(this.#pidOf(service), 'SIGCONT')
  }

  /** Resolves when a service answers again that has been killed so many times. */
  async isBack(service: string, kills: number): Promise<void> {
    const said = `Service ${service} is running again.`
    await this.#until(said, () => this.#count(said) >= kills)
  }

  async says(text: string): Promise<void> {
    await this.#until(`it says ${JSON.stringify(text)}`, () => this.#output.includes(text))
  }

  /** Stops it as Ctrl-C does, and removes what it had. Answers the exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM')
    await this.#ended
    rmSync(this.home, { recursive: true, force: true })
    return this.#child.exitCode
  }

  get #note(): RunningNote {
    const file = path.join(this.home, 'running.json')
    if (!existsSync(file)) throw new Error(`It does not run:\n${this.#output}`)
    return JSON.parse(readFileSync(file, 'utf8')) as RunningNote
  }

  #pidOf(service: string): number {
    const at = serviceRegistry.findIndex(({ name }) => name === service)
    const pid = this.#separate ? this.#note.services[at] : undefined
    if (pid === undefined) throw new Error(`${service} has no process of its own`)
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    if (!command.includes('service-host')) throw new Error(`Process ${pid} is no service: ${command}`)
    return pid
  }

  #count(text: string): number {
    return this.#output.split(text).length - 1
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    for (const deadline = Date.now() + patienceMs; !isSo(); await delay(pollMs)) {
      if (this.#child.exitCode !== null) throw new Error(`It ended before ${what}:\n${this.#output}`)
      if (Date.now() > deadline) throw new Error(`Not in ${patienceMs} ms: ${what}\n${this.#output}`)
    }
  }
}
