import type { Recorded } from '@millrace/log'
import { arrived } from './arrived.ts'
import { backoffMs } from './backoff.ts'
import { Committer } from './committer.ts'
import type { EndReason } from './consumer-event.ts'
import type { ConsumerSettings } from './consumer-settings.ts'
import { type DeadLetter, deadLetterOf } from './dead-letter.ts'
import { type Delivery, DeliveryWindow } from './delivery-window.ts'
import type { Reached } from './group-store.ts'
import type { HeldLease } from './held-lease.ts'
import { Lane } from './lane.ts'
import type { PartitionWork } from './partition-work.ts'

/**
 * A member's work on one partition, from the lease to its end: lanes, attempts, commits. It starts handlers only
 * when it is asked to (`startNext`), so that its owner can bound them over all partitions.
 */
export class PartitionRun implements PartitionWork {
  readonly partition: number
  readonly #settings: ConsumerSettings
  readonly #lease: HeldLease
  readonly #window: DeliveryWindow
  readonly #lanes = new Map<string, Lane>()
  readonly #ready: Lane[] = []
  readonly #cancels = new Set<() => void>()
  readonly #attempts = new Set<AbortController>()
  readonly #committer: Committer
  readonly #changed: () => void
  #running = 0
  #quiet = false
  #proven = false
  #end: { reason: EndReason; error?: unknown } | undefined
  #progressAtMs: number
  #drained: (() => void) | undefined

  /** @param changed Called when a delivery has ended, room has come free or the run has ended. */
  constructor(
    settings: ConsumerSettings,
    partition: number,
    lease: HeldLease,
    start: { readonly at: Reached; readonly ahead: readonly number[] },
    changed: () => void,
  ) {
    this.#settings = settings
    this.#progressAtMs = settings.elapsedMs()
    this.partition = partition
    this.#lease = lease
    this.#window = new DeliveryWindow(start.at, start.ahead, settings.window)
    this.#changed = changed
    this.#committer = new Committer(settings, partition, lease, this.#window, {
      committed: () => {
        this.#proven = true
        this.alive()
        changed()
      },
      failed: (reason, error) => this.endBy(reason, error),
    })
    if (start.at.seq > lease.position.seq) this.#committer.soon()
  }

  get end(): EndReason | undefined {
    return this.#end?.reason
  }

  /** What it ended by, if that was an error. */
  get error(): unknown {
    return this.#end?.error
  }

  /** Whether it has shown that it works: a commit came back, or everything is done. */
  get proven(): boolean {
    return this.#proven || (this.inHand === 0 && this.lag <= 0)
  }

  get position(): Reached {
    return this.#window.position
  }

  get cursor(): Reached {
    return this.#window.cursor
  }

  get room(): number {
    return this.#end || this.#quiet ? 0 : this.#window.room
  }

  get inHand(): number {
    return this.#window.inHand
  }

  get running(): number {
    return this.#running
  }

  get lag(): number {
    return Math.max(this.#lease.tip, this.cursor.seq) - this.position.seq
  }

  /** Keys whose head waits for its next attempt. */
  get backingOff(): number {
    return [...this.#lanes.values()].filter((lane) => lane.state === 'backing-off').length
  }

  get lanes(): number {
    return this.#lanes.size
  }

  /** For how long there has been lag and nothing has moved, in ms; 0 while all is well. */
  get stalledForMs(): number {
    const planned = this.#running === 0 && this.backingOff > 0
    const idle = this.inHand === 0 && this.lag <= 0
    return planned || idle ? 0 : this.#settings.elapsedMs() - this.#progressAtMs
  }

  alive(): void {
    this.#progressAtMs = this.#settings.elapsedMs()
  }

  /** Takes what was read behind the cursor. */
  intake(events: readonly Recorded[]): void {
    // With something in hand an answer is no progress: a handler may hang, and reads go on until the window is full.
    if (this.inHand === 0) this.alive()
    if (this.#end) return
    const before = this.position.seq
    for (const delivery of this.#window.take(events.map((recorded) => arrived(recorded, this.#settings)))) {
      const key = this.#settings.lanes === 'key' ? delivery.recorded.event.subject : ''
      let lane = this.#lanes.get(key)
      if (!lane) this.#lanes.set(key, (lane = new Lane(key)))
      lane.push(delivery)
      if (lane.length === 1) this.#ready.push(lane)
    }
    if (this.position.seq > before) this.#committer.soon()
  }

  /**
   * Hands the next portion to the handler, if there is one and its repeat after a crash stays within the bound.
   * Answers the end of the attempt, or nothing.
   */
  startNext(): Promise<void> | undefined {
    const { commitEvery, concurrency, batch, lanes } = this.#settings
    const bound = commitEvery + (lanes === 'key' ? concurrency : batch)
    const most = Math.min(lanes === 'key' ? 1 : batch, bound - this.#committer.uncommitted - this.#running)
    if (this.#end || this.#quiet || most < 1 || this.#settings.elapsedMs() >= this.#lease.untilMs)
      return undefined
    const lane = this.#ready.shift()
    if (!lane) return undefined
    const portion = lane.portion(most)
    lane.state = 'running'
    this.#running += portion.length
    return this.#attempt(lane, portion).finally(() => {
      this.#running -= portion.length
      if (this.#running === 0) this.#drained?.()
      this.#changed()
    })
  }

  quiet(): void {
    this.#quiet = true
  }

  /** Commits everything that is settled. To be called when the last handler has ended. */
  async commitAll(): Promise<void> {
    // The first may be a commit that is under way and does not know of the last deliveries.
    await this.#committer.flush()
    await this.#committer.flush()
  }

  abortHandlers(): void {
    for (const attempt of this.#attempts) attempt.abort()
  }

  drained(): Promise<void> {
    if (this.#running === 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#drained
    this.#drained = () => {
      before?.()
      resolve()
    }
    return promise
  }

  /** Ends the run; what is in hand and not committed is dropped. The first reason stands. */
  endBy(reason: EndReason, error?: unknown): void {
    if (this.#end) return
    this.#end = { reason, error }
    this.#committer.end()
    this.abortHandlers()
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    this.#lanes.clear()
    this.#ready.length = 0
    this.#settings.tell({ kind: 'ended', partition: this.partition, reason, error })
    this.#changed()
  }

  async renew(): Promise<void> {
    if ((await this.#lease.renew()) === 'fenced') this.endBy('lost')
  }

  release(): Promise<'released' | 'fenced'> {
    return this.#lease.release()
  }

  async #attempt(lane: Lane, portion: readonly Delivery[]): Promise<void> {
    const { deliver, handlerTimeoutMs, timers } = this.#settings
    const [head] = portion
    if (head?.poison !== undefined) {
      this.#bury(lane, portion, head.poison)
      return
    }
    const control = new AbortController()
    this.#attempts.add(control)
    const cancel = Number.isFinite(handlerTimeoutMs)
      ? timers.set(handlerTimeoutMs, () => control.abort())
      : undefined
    lane.attempts += 1
    try {
      await deliver(
        portion.map(({ recorded }) => recorded),
        { partition: this.partition, attempt: lane.attempts, signal: control.signal },
      )
      this.#settle(lane, portion)
    } catch (error) {
      this.#failed(lane, portion, error)
    } finally {
      cancel?.()
      this.#attempts.delete(control)
    }
  }

  #failed(lane: Lane, portion: readonly Delivery[], error: unknown): void {
    this.alive()
    if (this.#end || this.#quiet) return
    const { kindOf, retry, attempts, random, timers } = this.#settings
    const kind = kindOf(error)
    if (kind === 'restart') {
      this.endBy('restart', error)
      return
    }
    if (kind === 'wait') lane.attempts -= 1
    const spent = kind === 'retry' && lane.attempts >= attempts
    if (kind === 'permanent' || spent) {
      // Which one of a batch it was, the next attempts will show.
      if (portion.length > 1) this.#againOneByOne(lane)
      else this.#bury(lane, portion, error, spent)
      return
    }
    lane.single = true
    lane.failures += 1
    const delayMs = backoffMs(retry, lane.failures, random())
    const seq = portion[0]?.recorded.position.seq ?? 0
    this.#settings.tell({
      kind: 'retry',
      partition: this.partition,
      seq,
      attempts: lane.attempts,
      delayMs,
      error,
    })
    lane.state = 'backing-off'
    const cancel = timers.set(delayMs, () => {
      this.#cancels.delete(cancel)
      this.#offer(lane)
    })
    this.#cancels.add(cancel)
  }

  #againOneByOne(lane: Lane): void {
    lane.single = true
    lane.attempts = 0
    this.#offer(lane)
  }

  #offer(lane: Lane): void {
    lane.state = 'waiting'
    this.#ready.push(lane)
    this.#changed()
  }

  #bury(lane: Lane, portion: readonly Delivery[], error: unknown, spent = false): void {
    const [delivery] = portion
    if (!delivery || this.#end) return
    const given = { attempts: lane.attempts, atMs: this.#settings.clock.now(), spent }
    const letter = deadLetterOf(delivery.recorded, error, given)
    this.#settings.tell({ kind: 'dead', partition: this.partition, letter })
    this.#settle(lane, portion, letter)
  }

  #settle(lane: Lane, portion: readonly Delivery[], letter?: DeadLetter): void {
    this.alive()
    if (this.#end) return
    for (const delivery of portion) this.#window.settle(delivery)
    lane.settled(portion.length)
    lane.single = false
    if (lane.length === 0) this.#lanes.delete(lane.key)
    else this.#offer(lane)
    this.#committer.settled(portion.length, letter)
  }
}
