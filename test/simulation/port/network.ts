import { type ErrorCode, MillraceError } from '@millrace/event'
import type { Timers } from '@millrace/processor'
import type { Seeded } from '../seeded.ts'

/** A process of a member: it may sleep, or be gone for good. */
export class Process {
  readonly name: string
  alive = true
  paused = false
  readonly #network: Network

  constructor(name: string, network: Network) {
    this.name = name
    this.#network = network
  }

  /** Sends a call; it resolves when the network delivers the answer. What the answer is lost to: `unknown`. */
  call<T>(what: string, act: () => Promise<T>, unknown: ErrorCode, content?: unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#network.send(new Call(this, { what, act, unknown, content }, resolve, reject))
    })
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.timers.set(ms, resolve))
  }

  /** Timers that run by the simulation's time, and not while the process sleeps. */
  readonly timers: Timers = {
    set: (afterMs, act) => this.#network.alarm(this, afterMs, act),
  }
}

interface Request<T> {
  readonly what: string
  readonly act: () => Promise<T>
  readonly unknown: ErrorCode
  /** What is sent, for those who look at it on its way. */
  readonly content: unknown
}

/** A call on its way: sent, carried out, answered; or given up by its sender and still on its way. */
export class Call<T = unknown> {
  readonly process: Process
  readonly request: Request<T>
  /** Undefined until it was carried out. */
  outcome: { readonly value: T } | { readonly error: unknown } | undefined
  /** Nobody waits for the answer any more. */
  orphan = false
  readonly #resolve: (value: T) => void
  readonly #reject: (error: unknown) => void

  constructor(
    process: Process,
    request: Request<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.process = process
    this.request = request
    this.#resolve = resolve
    this.#reject = reject
  }

  async carryOut(): Promise<void> {
    try {
      this.outcome = { value: await this.request.act() }
    } catch (error) {
      // An error without a code is a mistake of the simulation, or a violation: it ends the story.
      if (!(error instanceof MillraceError)) throw error
      this.outcome = { error }
    }
  }

  deliver(): void {
    if (this.outcome === undefined) throw new TypeError('It was not carried out')
    if ('value' in this.outcome) this.#resolve(this.outcome.value)
    else this.#reject(this.outcome.error)
  }

  /** The sender learns nothing; the call may still be carried out. */
  giveUp(): void {
    this.orphan = true
    this.#reject(new MillraceError(this.request.unknown))
  }
}

interface Alarm {
  readonly process: Process
  readonly atMs: number
  readonly act: () => void
}

/** All calls and alarms of the simulation. Nothing happens by itself: the scheduler says what is next. */
export class Network {
  readonly random: Seeded
  nowMs: number
  readonly #calls: Call[] = []
  readonly #alarms = new Set<Alarm>()

  constructor(random: Seeded, nowMs: number) {
    this.random = random
    this.nowMs = nowMs
  }

  send<T>(call: Call<T>): void {
    this.#calls.push(call as Call)
  }

  alarm(process: Process, afterMs: number, act: () => void): () => void {
    const alarm = { process, atMs: this.nowMs + afterMs, act }
    this.#alarms.add(alarm)
    return () => this.#alarms.delete(alarm)
  }

  /** Calls that were not carried out yet. */
  get sent(): readonly Call[] {
    return this.#calls.filter((call) => call.outcome === undefined)
  }

  /** Calls whose answer can be delivered. */
  get answered(): readonly Call[] {
    return this.#calls.filter(
      ({ outcome, orphan, process }) => outcome !== undefined && !orphan && process.alive && !process.paused,
    )
  }

  /** Calls whose sender can still be left without an answer. */
  get waiting(): readonly Call[] {
    return this.#calls.filter(({ orphan, process }) => !orphan && process.alive && !process.paused)
  }

  remove(call: Call): void {
    this.#calls.splice(this.#calls.indexOf(call), 1)
  }

  /** Wakes one process whose time has come; answers whether there was one. */
  ring(): boolean {
    for (const alarm of this.#alarms) {
      const { process, atMs, act } = alarm
      if (!process.alive) this.#alarms.delete(alarm)
      else if (atMs <= this.nowMs && !process.paused) {
        this.#alarms.delete(alarm)
        act()
        return true
      }
    }
    return false
  }

  /** When the next process wakes; undefined when none will. */
  get nextAlarmMs(): number | undefined {
    const times = [...this.#alarms]
      .filter(({ process }) => process.alive && !process.paused)
      .map(({ atMs }) => atMs)
    return times.length === 0 ? undefined : Math.min(...times)
  }
}
