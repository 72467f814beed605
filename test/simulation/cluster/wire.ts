import { type ErrorCode, MillraceError, type Timers } from '@millrace/event'
import { Seeded } from '../seeded.ts'
import { Violation } from '../story.ts'

/** A process of a member: it may sleep, or be gone for good. What it began when it was alive it never hears of again. */
export class Node {
  readonly name: string
  alive = true
  asleep = false
  readonly random: Seeded
  /** How far its clock is off, in ms. */
  readonly skewMs: number
  readonly #wire: Wire

  constructor(name: string, wire: Wire, seed: number) {
    this.name = name
    this.#wire = wire
    this.random = new Seeded(seed)
    this.skewMs = this.random.between(-30, 30)
  }

  get awake(): boolean {
    return this.alive && !this.asleep
  }

  /** Sends a call; it resolves when the wire delivers the answer. */
  call<T>(request: Request<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.alive) this.#wire.send(new Call<T>(this, request, resolve, reject) as Call)
    })
  }

  /** Sleeps by the wire's time; throws what aborts it. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = () => {
        cancel()
        reject(new Error('It was told to stop'))
      }
      const cancel = this.timers.set(ms, () => {
        signal?.removeEventListener('abort', aborted)
        resolve()
      })
      if (signal?.aborted === true) aborted()
      else signal?.addEventListener('abort', aborted, { once: true })
    })
  }

  /** Timers that run by the wire's time, and not while the process sleeps. */
  readonly timers: Timers = { set: (afterMs, act) => this.#wire.alarm(this, afterMs, act) }
}

/** What a process asks of the server. */
export interface Request<T> {
  readonly what: string
  readonly act: () => Promise<T>
  /** What the sender learns when nothing comes back. */
  readonly lost: ErrorCode
  /** What is sent, for those who look at it. */
  readonly content?: unknown
  /** A waiting read: until when it waits for an answer that holds something, and what stops it. */
  readonly waits?: { readonly untilMs: number; readonly signal: AbortSignal | undefined; readonly empty: T }
}

/** A call on its way: sent, carried out, answered; or given up by its sender and still on its way. */
export class Call<T = unknown> {
  readonly node: Node
  readonly request: Request<T>
  /** Undefined until it was carried out. */
  outcome: { readonly value: T } | { readonly error: unknown } | undefined
  /** Nobody waits for the answer any more. */
  orphan = false
  /** The answer will get lost. */
  mute = false
  /** It is not carried out before that. */
  notBeforeMs = 0
  /** How many events the log had when a waiting read found nothing. */
  seen = -1
  readonly #resolve: (value: T) => void
  readonly #reject: (error: unknown) => void

  constructor(
    node: Node,
    request: Request<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.node = node
    this.request = request
    this.#resolve = resolve
    this.#reject = reject
  }

  async carryOut(): Promise<void> {
    try {
      this.outcome = { value: await this.request.act() }
    } catch (error) {
      if (error instanceof Violation) throw error
      this.outcome = { error }
    }
  }

  deliver(): void {
    if (this.outcome === undefined) throw new TypeError('It was not carried out')
    if (this.mute) this.giveUp()
    else if ('value' in this.outcome) this.#resolve(this.outcome.value)
    else this.#reject(this.outcome.error)
  }

  /** The sender learns nothing; the call may still be carried out. */
  giveUp(): void {
    this.orphan = true
    if (this.node.alive) this.#reject(new MillraceError(this.request.lost))
  }

  answer(value: T): void {
    this.#resolve(value)
  }
}

interface Alarm {
  readonly node: Node | undefined
  readonly atMs: number
  readonly act: () => void
}

/** All calls and alarms of a cluster. Nothing happens by itself: the scheduler says what is next. */
export class Wire {
  nowMs: number
  /** Counts the events of the source: waiting reads look again when it has grown. */
  events = 0
  readonly calls = new Set<Call>()
  readonly #alarms = new Set<Alarm>()

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  send(call: Call): void {
    this.calls.add(call)
    const { waits } = call.request
    waits?.signal?.addEventListener(
      'abort',
      () => {
        if (this.calls.delete(call) && call.node.alive) call.answer(waits.empty)
      },
      { once: true },
    )
  }

  /** @param node Whose alarm it is; undefined: the scheduler's own. */
  alarm(node: Node | undefined, afterMs: number, act: () => void): () => void {
    const alarm = { node, atMs: this.nowMs + Math.max(0, Math.ceil(afterMs)), act }
    this.#alarms.add(alarm)
    return () => this.#alarms.delete(alarm)
  }

  /** Calls that can be carried out now. */
  ready(): Call[] {
    return [...this.calls].filter((call) => call.outcome === undefined && this.#isReady(call))
  }

  /** Calls whose answer can be delivered. */
  answered(): Call[] {
    return [...this.calls].filter(
      ({ outcome, orphan, node }) => outcome !== undefined && !orphan && node.awake,
    )
  }

  /** Alarms whose time has come. */
  ringing(): Alarm[] {
    return [...this.#alarms].filter(({ node, atMs }) => atMs <= this.nowMs && (node?.awake ?? true))
  }

  ring(alarm: Alarm): void {
    this.#alarms.delete(alarm)
    alarm.act()
  }

  /** When something is due by time alone; undefined: nothing will be. */
  get nextMs(): number | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const alarm of this.#alarms) {
      if (alarm.node?.alive === false) this.#alarms.delete(alarm)
      else if (alarm.node?.asleep !== true) next = Math.min(next, alarm.atMs)
    }
    for (const { outcome, notBeforeMs, request, seen } of this.calls) {
      if (outcome !== undefined) continue
      if (notBeforeMs > this.nowMs) next = Math.min(next, notBeforeMs)
      else if (request.waits && seen === this.events) next = Math.min(next, request.waits.untilMs)
    }
    return Number.isFinite(next) ? next : undefined
  }

  #isReady({ notBeforeMs, request, seen }: Call): boolean {
    if (notBeforeMs > this.nowMs) return false
    return request.waits === undefined || seen !== this.events || this.nowMs >= request.waits.untilMs
  }
}
