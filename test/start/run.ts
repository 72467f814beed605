import { type ChildProcess, spawn } from 'node:child_process'
import type { Checkout } from './checkout.ts'
import { eventually, type FoundProcess } from './processes.ts'

export interface StartOptions {
  /** `npm start`, or what it runs. Default: npm. */
  readonly via?: 'npm' | 'node'
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly user?: { readonly uid: number; readonly gid: number }
}

/** What the counter service tells. */
export interface Counts {
  readonly pid: number
  readonly redis: number
  readonly postgres: number
  /** How often it was stopped in good order. */
  readonly stops: number
}

const parts = {
  npm: /^npm start/,
  bootstrap: /bootstrap\.mjs start/,
  supervisor: /supervisor\.ts/,
  keeper: /keeper\.ts/,
  services: /service-host\.ts/,
  redis: /redis-server/,
  postgres: /bin\/postgres -D/,
} as const

/** One `npm start`, in a process group of its own as a shell makes it. */
export class Run {
  readonly #child: ChildProcess
  readonly #checkout: Checkout
  readonly #ended: Promise<number | null>
  #output = ''

  constructor(checkout: Checkout, options: StartOptions) {
    this.#checkout = checkout
    const { via = 'npm', args = [], user } = options
    const [command, ...first] =
      via === 'npm' ? ['npm', 'start', '--'] : ['node', 'apps/all-in-one/bootstrap.mjs', 'start']
    this.#child = spawn(command ?? '', [...first, ...args], {
      cwd: checkout.directory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...cleanEnvironment(), ...portVariables(checkout), LOG_FORMAT: 'pretty', ...options.env },
      ...user,
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (text: Buffer) => (this.#output += text.toString()))
    this.#ended = new Promise((resolve) => this.#child.on('close', (code) => resolve(code)))
  }

  get output(): string {
    return this.#output
  }

  /** The exit code. */
  get ended(): Promise<number | null> {
    return this.#ended
  }

  /** Resolves when this is said. */
  async says(text: string): Promise<void> {
    await eventually(`it says ${JSON.stringify(text)}`, () =>
      this.#output.includes(text)
        ? undefined
        : this.#child.exitCode === null
          ? this.#output
          : Promise.reject(new Error(`It ended without saying ${JSON.stringify(text)}:\n${this.#output}`)),
    )
  }

  async ready(): Promise<void> {
    await this.says('Millrace is running')
  }

  /** Asks the counter service. */
  async counts(path = '/', timeoutMs = 5_000): Promise<Counts> {
    const signal = AbortSignal.timeout(timeoutMs)
    const answer = await fetch(`http://127.0.0.1:${this.#checkout.ports.counter}${path}`, { signal })
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as Counts
  }

  /** The processes of one part of the tree. */
  part(name: keyof typeof parts): FoundProcess[] {
    return this.#checkout.processes().filter(({ command }) => parts[name].test(command))
  }

  /** Ctrl-C: SIGINT to the whole foreground group, in which npm hands it on once more. */
  pressCtrlC(): void {
    process.kill(-(this.#child.pid ?? 0), 'SIGINT')
  }

  /** Sends a signal to every process of one part. */
  signal(name: keyof typeof parts, signal: NodeJS.Signals): void {
    const found = this.part(name)
    if (found.length === 0) throw new Error(`There is no process of ${name}`)
    for (const { pid } of found) process.kill(pid, signal)
  }

  /** Resolves when a part is there. */
  async has(name: keyof typeof parts): Promise<void> {
    await eventually(`${name} is there`, () => (this.part(name).length > 0 ? undefined : this.#output))
  }

  /** SIGKILL to these parts, all at once; by default to everything. */
  kill(names?: readonly (keyof typeof parts)[]): void {
    const found = names?.flatMap((name) => this.part(name)) ?? this.#checkout.processes()
    // All of them stand still before the first one ends: none sees the end of another, however slowly we go.
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const)
      for (const { pid } of found) {
        try {
          process.kill(pid, signal)
        } catch {
          // It has ended by itself.
        }
      }
  }
}

function portVariables({ ports }: Checkout): Record<string, string> {
  return { GATEWAY_PORT: String(ports.counter), UNIQ_PORT: String(ports.plain) }
}

/** Without what npm and the test runner have added, and with the system's own Node: as in a fresh terminal. */
function cleanEnvironment(): Record<string, string> {
  const path = (process.env['PATH'] ?? '').split(':').filter((place) => !place.includes('node_modules'))
  return { HOME: process.env['HOME'] ?? '/', PATH: path.join(':'), LANG: 'C.UTF-8' }
}
