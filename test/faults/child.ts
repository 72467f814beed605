import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/** A process of a run, which can be killed and paused at any instant. */
export class Child<Order extends object, Word extends object> {
  readonly #process: ChildProcess
  readonly #ended: Promise<string>
  #killed = false

  /** Starts `file` of this directory, gives it its order, and hands on what it says. */
  constructor(file: string, order: Order, heard: (word: Word) => void) {
    this.#process = fork(path.join(import.meta.dirname, file), [], {
      execArgv: [],
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    this.#ended = once(this.#process, 'exit').then(([code, signal]) =>
      this.#killed ? 'killed' : `${file} ended with ${String(signal ?? code)}`,
    )
    this.#process.on('message', (word) => heard(word as Word))
    // A kill may come before the order has gone out.
    this.#process.on('error', () => undefined)
    this.#process.send(order, () => undefined)
  }

  /** Resolves when it has ended, with `killed` after {@link kill}, else with how it came to that. */
  get ended(): Promise<string> {
    return this.#ended
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** SIGKILL, also to one that is paused. */
  async kill(): Promise<void> {
    this.#killed = true
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  /** Tells it more. Nothing happens when it has ended. */
  tell(command: string): void {
    if (this.running) this.#process.send(command, () => undefined)
  }

  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  goOn(): void {
    this.#process.kill('SIGCONT')
  }
}
