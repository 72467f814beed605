import { MillraceError, upcast } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { backoffMs } from '../backoff.ts'
import type { EndReason } from '../consumer-event.ts'
import type { Reached } from '../group-store.ts'
import type { KeyTimer } from '../key-timer.ts'
import { Delivery } from '../lane/delivery.ts'
import type { PartitionStart, PartitionWork } from '../partition-work.ts'
import { type Batch, EngineCommitter } from './engine-committer.ts'
import { EngineLease } from './engine-lease.ts'
import type { EngineSettings } from './engine-settings.ts'
import { EffectRunner } from './effect-runner.ts'
import { Forwarder } from './forwarder.ts'
import { Harvest } from './harvest.ts'
import { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import { parkOf } from './park-of.ts'
import { SeqWindow } from './seq-window.ts'
import { StateLoader } from './state-loader.ts'
import { TimerWatch } from './timer-watch.ts'

/** Outbox entries that may wait; with more of them no events are taken in. */
const mostForwarding = 200
/** How often it is looked for deliveries that take too long, in ms. */
const lookEveryMs = 250

/**
 * A member's work on one partition for a processor, from the lease to its end: events go through the lanes of their
 * keys, what comes out of them is committed by the group, and what the commit has made true is carried out.
 */
export class PartitionEngine implements PartitionWork {
  readonly partition: number
  readonly #settings: EngineSettings
  readonly #lease: EngineLease
  readonly #window: SeqWindow
  readonly #lanes: KeyLanes
  readonly #loader: StateLoader
  readonly #committer: EngineCommitter
  readonly #forwarder: Forwarder
  readonly #effects: EffectRunner
  readonly #timers: TimerWatch
  readonly #changed: () => void
  readonly #cancels = new Set<() => void>()
  #uncommitted = 0
  /** Events that are not for this group, since the last commit. */
  #skipped = 0
  #harvests = 0
  #committed = 0
  #quiet = false
  #begun = false
  #proven = false
  #feeding = false
  #end: { reason: EndReason; error?: unknown } | undefined
  #progressAtMs: number
  #drained: (() => void) | undefined

  constructor(settings: EngineSettings, { at, lease, askedAtMs, changed }: PartitionStart) {
    const { leaseMs, elapsedMs } = settings
    this.#settings = settings
    this.partition = at.partition
    this.#changed = changed
    this.#progressAtMs = elapsedMs()
    this.#lease = new EngineLease(settings.store, at, lease, { leaseMs, askedAtMs, elapsedMs })
    this.#window = new SeqWindow(lease.position, lease.ahead, settings.window)
    const failed = (error: unknown) => this.endBy('fault', error)
    const moved = () => {
      this.alive()
      changed()
    }
    this.#lanes = new KeyLanes(settings, {
      settled: (count) => this.#settled(count),
      ready: () => this.#ready(),
      failed: (slot, delivery, error) => this.#failed(slot, delivery, error),
    })
    this.#loader = new StateLoader(settings, at, this.#lanes, { loaded: () => this.#ready(), failed })
    this.#committer = new EngineCommitter(settings, this.#lease, {
      uncommitted: () => this.#uncommitted + this.#skipped,
      harvest: () => this.#harvest(),
      failed: (reason, error) => this.endBy(reason, error),
    })
    this.#forwarder = new Forwarder(settings, at, { moved, failed })
    this.#effects = new EffectRunner(settings, this.#lease, {
      moved,
      lost: () => this.endBy('lost'),
      failed,
    })
    this.#timers = new TimerWatch(settings, at, { due: (timers) => this.#due(timers), failed })
    void this.#begin()
  }

  get end(): EndReason | undefined {
    return this.#end?.reason
  }

  get error(): unknown {
    return this.#end?.error
  }

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
    const crowded =
      this.#forwarder.waiting > mostForwarding || this.#effects.waiting > this.#settings.effectsWaiting
    return this.#end || this.#quiet || !this.#begun || crowded ? 0 : this.#window.room
  }

  get inHand(): number {
    return this.#window.inHand
  }

  get running(): number {
    return this.#end ? 0 : this.#lanes.busy.size
  }

  get lag(): number {
    return Math.max(this.#lease.tip, this.cursor.seq) - this.position.seq
  }

  get backingOff(): number {
    return this.#lanes.backingOff
  }

  get lanes(): number {
    return this.#lanes.size
  }

  get stalledForMs(): number {
    const planned = this.running === 0 && this.backingOff > 0
    const idle = this.inHand === 0 && this.lag <= 0
    return planned || idle ? 0 : this.#settings.elapsedMs() - this.#progressAtMs
  }

  alive(): void {
    this.#progressAtMs = this.#settings.elapsedMs()
  }

  intake(events: readonly Recorded[]): void {
    // With something in hand an answer is no progress: a handler may hang, and reads go on until the window is full.
    if (this.inHand === 0) this.alive()
    if (this.#end) return
    const { topic, types } = this.#settings.processor
    const lanes = this.#lanes
    lanes.intake()
    for (const recorded of events) {
      const { event, position } = recorded
      if (!this.#window.take(position)) continue
      if (types !== undefined && !types.has(event.type)) {
        this.#window.settle(position.seq)
        this.#skipped += 1
        continue
      }
      const slot = lanes.slotOf(event.subject)
      let delivery: Delivery
      try {
        delivery = Delivery.ofEvent({ event: upcast(topic, event), position })
      } catch (error) {
        delivery = Delivery.ofEvent(recorded)
        lanes.fates.set(delivery, { error, spent: false })
      }
      lanes.take(slot, delivery)
    }
    this.#loader.load()
    if (this.#skipped > 0) this.#committer.noted()
    lanes.evict(this.#committed)
  }

  startNext(): Promise<void> | undefined {
    const { gate } = this.#settings
    if (this.#end || this.#quiet || !this.#lanes.anyReady || this.#lease.lapsed) return undefined
    let fed = 0
    this.#feeding = true
    try {
      fed = this.#lanes.feed(gate === undefined || gate.open ? Number.POSITIVE_INFINITY : 1)
    } finally {
      this.#feeding = false
    }
    if (this.#uncommitted > 0) this.#committer.noted()
    return fed > 0 ? Promise.resolve() : undefined
  }

  quiet(): void {
    this.#quiet = true
    this.#effects.quiet()
  }

  async commitAll(): Promise<void> {
    // The first may be a commit that is under way and does not know of the last deliveries.
    await this.#committer.flush()
    while (this.#uncommitted + this.#skipped > 0 && !this.#end) await this.#committer.flush()
    await Promise.all([this.#forwarder.idle(), this.#effects.settled()])
  }

  abortHandlers(): void {
    for (const slot of this.#lanes.busy) this.#lanes.recall(slot)
    this.#noteDrained()
  }

  drained(): Promise<void> {
    if (this.running === 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#drained
    this.#drained = () => {
      before?.()
      resolve()
    }
    return promise
  }

  endBy(reason: EndReason, error?: unknown): void {
    if (this.#end) return
    this.#end = { reason, error }
    this.#committer.end()
    this.#forwarder.end()
    this.#effects.end()
    this.#timers.end()
    this.#loader.end()
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    this.#lanes.close()
    this.#noteDrained()
    this.#settings.tell({ kind: 'ended', partition: this.partition, reason, error })
    this.#changed()
  }

  async renew(): Promise<void> {
    if ((await this.#lease.renew()) === 'fenced') this.endBy('lost')
  }

  release(): Promise<'released' | 'fenced'> {
    return this.#lease.release()
  }

  /** What earlier owners have left is taken over before the first event. */
  async #begin(): Promise<void> {
    for (let failures = 0; !this.#end;) {
      try {
        await this.#effects.start()
        this.#begun = true
        this.#forwarder.start()
        this.#timers.start()
        this.#after(lookEveryMs, () => this.#look())
        this.#changed()
        return
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) {
          this.endBy('fault', error)
          return
        }
        this.#settings.tell({ kind: 'trouble', partition: this.partition, error })
        failures += 1
        const delayMs = backoffMs({ firstMs: 50, maxMs: 2_000 }, failures, this.#settings.random())
        await new Promise<void>((resolve) => this.#after(delayMs, resolve, resolve))
      }
    }
  }

  #settled(count: number): void {
    this.#uncommitted += count
    if (this.#feeding) return
    this.alive()
    this.#committer.noted()
    if (this.#lanes.busy.size === 0) this.#noteDrained()
    if (this.#lanes.anyReady) this.#changed()
  }

  #ready(): void {
    if (!this.#end) this.#changed()
  }

  #due(timers: readonly KeyTimer[]): void {
    for (const timer of timers)
      this.#lanes.take(this.#lanes.slotOf(timer.key), Delivery.ofTimer(timer.key, timer))
    this.#loader.load()
    this.#changed()
  }

  #failed(slot: KeySlot, delivery: Delivery | undefined, error: unknown): void {
    this.alive()
    if (this.#end) return
    const { kindOf, processor, attempts } = this.#settings
    const kind = kindOf(error)
    if (kind === 'restart') {
      this.endBy('restart', error)
      return
    }
    const event = delivery?.timer === undefined ? delivery : undefined
    const spent = kind === 'retry' && event !== undefined && event.attempt >= attempts
    if (event !== undefined && (kind === 'permanent' || (spent && processor.onExhausted === 'skip-event'))) {
      this.#lanes.fates.set(event, { error, spent })
      slot.phase = 'open'
      this.#lanes.wake(slot)
    } else if (spent && event !== undefined) this.#park(slot, event, error)
    else this.#backOff(slot, delivery, error, kind === 'retry')
    if (this.#lanes.busy.size === 0) this.#noteDrained()
    if (!this.#feeding) this.#changed()
  }

  #backOff(slot: KeySlot, delivery: Delivery | undefined, error: unknown, counts: boolean): void {
    const { retry, random, clock, tell } = this.#settings
    slot.phase = 'backing-off'
    slot.failures += 1
    if (slot.failures === 1) slot.firstFailedMs = clock.now()
    const delayMs = backoffMs(retry, slot.failures, random())
    const attempts = delivery?.attempt ?? slot.failures
    if (delivery !== undefined && counts) delivery.attempt += 1
    const seq = delivery?.recorded?.position.seq ?? slot.seq
    tell({ kind: 'retry', partition: this.partition, seq, attempts, delayMs, error })
    this.#after(delayMs, () => {
      if (slot.phase !== 'backing-off') return
      slot.phase = 'open'
      if (slot.waiting.length > 0) this.#lanes.wake(slot)
      this.#changed()
    })
  }

  /** The key waits for somebody to repair it. What was not settled, and what comes later, lines up. */
  #park(slot: KeySlot, blamed: Delivery, error: unknown): void {
    const { clock, tell } = this.#settings
    const park = parkOf(slot, blamed, error, clock.now())
    if (park === undefined) return
    this.#lanes.park(slot, park)
    tell({ kind: 'parked', partition: this.partition, key: slot.key, seq: park.head, error })
  }

  /** Looks for deliveries that take too long. */
  #look(): void {
    const { handlerTimeoutMs, holdMs, elapsedMs, processor } = this.#settings
    const handler = processor.program.kind === 'handler'
    const most = handler ? handlerTimeoutMs : holdMs
    const nowMs = elapsedMs()
    for (const slot of this.#lanes.busy) {
      const first = slot.lane?.unsettled[0]
      if (first === undefined || nowMs - slot.headSinceMs < most) continue
      this.#lanes.recall(slot)
      const error = new MillraceError(
        handler ? 'handler.timeout' : 'pipeline.held',
        handler
          ? `The handler of ${processor.name} took more than ${most} ms`
          : `The pipeline of ${processor.name} held an event for more than ${most} ms`,
      )
      this.#failed(slot, first, error)
    }
    this.#after(lookEveryMs, () => this.#look())
  }

  #harvest(): Batch | undefined {
    if (this.#end || (this.#uncommitted === 0 && this.#skipped === 0)) return undefined
    const harvest = new Harvest(this.#settings, this.#window, this.#lanes.fates)
    const number = this.#harvests + 1
    const { dirty } = this.#lanes
    this.#lanes.dirty = []
    for (const slot of dirty) {
      if (harvest.full) this.#lanes.dirty.push(slot)
      else this.#harvestSlot(harvest, slot, number)
    }
    const skipped = this.#skipped
    const content = harvest.content(skipped)
    this.#skipped = 0
    this.#uncommitted -= harvest.count
    this.#harvests = number
    for (const letter of harvest.dead)
      this.#settings.tell({ kind: 'dead', partition: this.partition, letter })
    return {
      content,
      committed: ({ n, numbers }) => {
        this.#proven = true
        this.#committed = number
        this.alive()
        const lag = this.lag
        const { position } = content
        const settled = harvest.count + skipped
        this.#settings.tell({ kind: 'progress', partition: this.partition, position, settled, lag })
        if (harvest.outbox.length > 0) {
          for (const [name, topic] of harvest.topics) this.#settings.targets.set(name, topic)
          this.#forwarder.add(n, harvest.outbox, numbers)
        }
        if (harvest.effects.length > 0) this.#effects.add(harvest.effects)
        if (content.timers !== undefined || harvest.fired.length > 0)
          this.#timers.committed(content.timers ?? [], harvest.fired)
        this.#changed()
      },
    }
  }

  #harvestSlot(harvest: Harvest, slot: KeySlot, number: number): void {
    slot.dirty = false
    slot.inCommit = number
    const fault = harvest.take(slot)
    if (fault) {
      // Nothing from there on is true: it is handled again, without the one that is at fault.
      const again = slot.settled
      slot.settled = []
      this.#uncommitted -= again.length
      this.#lanes.recall(slot)
      slot.waiting.putBack(again)
      slot.record = slot.base
      if (slot.phase === 'open') this.#failed(slot, fault.culprit, fault.error)
    }
    if (slot.settled.length > 0 || slot.linedUp.length > 0) this.#lanes.touch(slot)
  }

  #noteDrained(): void {
    const tell = this.#drained
    this.#drained = undefined
    tell?.()
  }

  #after(delayMs: number, act: () => void, cancelled?: () => void): void {
    if (this.#end) {
      cancelled?.()
      return
    }
    const cancel = () => {
      stop()
      cancelled?.()
    }
    const stop = this.#settings.timers.set(delayMs, () => {
      this.#cancels.delete(cancel)
      act()
    })
    this.#cancels.add(cancel)
  }
}
