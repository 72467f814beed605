import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs'

const mostBytes = 8 * 1024 * 1024
const keptLines = 30

/** A server's output: into a bounded file (one older file is kept), and its last lines in memory for error messages. */
export class OutputLog {
  readonly #file: string | undefined
  #descriptor: number | undefined
  #bytes = 0
  #lines: string[] = []

  constructor(file: string | undefined) {
    this.#file = file
    this.#open()
  }

  get lastLines(): string {
    return this.#lines.join('\n')
  }

  write(line: string): void {
    this.#lines = [...this.#lines.slice(1 - keptLines), line]
    if (this.#descriptor === undefined || this.#file === undefined) return
    if (this.#bytes > mostBytes) {
      closeSync(this.#descriptor)
      renameSync(this.#file, `${this.#file}.1`)
      this.#open()
    }
    this.#bytes += writeSync(this.#descriptor, `${line}\n`)
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #open(): void {
    if (this.#file === undefined) return
    this.#descriptor = openSync(this.#file, 'a', 0o600)
    this.#bytes = statSync(this.#file).size
  }
}
