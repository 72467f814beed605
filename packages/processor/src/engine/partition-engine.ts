import type { Recorded } from '@millrace/log'
import type { EndReason } from '../consumer-event.ts'
import { Forwarder } from '../forwarder.ts'
import type { Reached } from '../group-store.ts'
import type { KeyTimer } from '../key-timer.ts'
import { Delivery } from '../lane/delivery.ts'
import type { PartitionStart, PartitionWork } from '../partition-work.ts'
import { arrival } from './arrival.ts'
import { tellDecided } from './decided.ts'
import { type Batch, EngineCommitter } from './engine-committer.ts'
import { type Committed, EngineLease } from './engine-lease.ts'
import type { EngineSettings } from './engine-settings.ts'
import { EffectRunner } from './effect-runner.ts'
import type { Gathered, Harvester } from './harvester.ts'
import type { KeyLanes } from './key-lanes.ts'
import { LaneWork } from './lane-work.ts'
import { Occasion } from './occasion.ts'
import { SeqWindow } from './seq-window.ts'
import { StateLoader } from './state-loader.ts'
import { TimerWatch } from './timer-watch.ts'

/** Outbox entries that may wait; with more of them no events are taken in. */
const mostForwarding = 200

/**
 * A member's work on one partition for a processor, from the lease to its end: events go through the lanes of their
 * keys, what comes out of them is committed by the group, and what the commit has made true is carried out.
 */
export class PartitionEngine implements PartitionWork {
  readonly partition: number
  readonly effects: EffectRunner
  readonly #settings: EngineSettings
  readonly #lease: EngineLease
  readonly #window: SeqWindow
  readonly #work: LaneWork
  readonly #lanes: KeyLanes
  readonly #loader: StateLoader
  readonly #committer: EngineCommitter
  readonly #forwarder: Forwarder
  readonly #timers: TimerWatch
  readonly #changed: () => void
  readonly #drained = new Occasion()
  readonly #harvester: Harvester
  #committed = 0
  #quiet = false
  #begun = false
  #proven = false
  /** Events are taken in or handed over: what is settled meanwhile, as what lines up, is looked at afterwards. */
  #feeding = false
  #end: { reason: EndReason; error?: unknown } | undefined
  #progressAtMs: number

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
    this.#work = new LaneWork(settings, at, this.#window, {
      committed: () => this.#committed,
      settled: (count) => this.#settled(count),
      ready: () => this.#ready(),
      decided: () => this.#decided(),
      read: () => this.#decided(),
      load: () => this.#loader.load(),
      ended: (reason, error) => this.endBy(reason, error),
    })
    this.#lanes = this.#work.lanes
    this.#harvester = this.#work.harvester
    this.#loader = new StateLoader(settings, at, this.#lanes, { loaded: () => this.#ready(), failed })
    this.#committer = new EngineCommitter(settings, this.#lease, {
      uncommitted: () => this.#harvester.waiting,
      harvest: () => this.#batch(),
      failed: (reason, error) => this.endBy(reason, error),
    })
    this.#forwarder = new Forwarder(settings, at, { moved, failed })
    this.effects = new EffectRunner(settings, this.#lease, {
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
      this.#forwarder.waiting > mostForwarding || this.effects.waiting > this.#settings.effectsWaiting
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
    const planned = this.effects.heldUp || (this.running === 0 && this.backingOff > 0)
    // Nothing may begin while the lease has run out here: a renewal ends that.
    const idle = (this.inHand === 0 && this.lag <= 0) || (this.running === 0 && this.#lease.lapsed)
    return planned || idle ? 0 : this.#settings.elapsedMs() - this.#progressAtMs
  }

  alive(): void {
    this.#progressAtMs = this.#settings.elapsedMs()
  }

  intake(events: readonly Recorded[]): void {
    // With something in hand an answer is no progress: a handler may hang, and reads go on until the window is full.
    if (this.inHand === 0) this.alive()
    if (this.#end) return
    const { processor } = this.#settings
    const { types } = processor
    const lanes = this.#lanes
    lanes.intake()
    this.#feeding = true
    try {
      for (const recorded of events) {
        const { event, position } = recorded
        if (!this.#window.take(position)) continue
        if (types !== undefined && !types.has(event.type)) this.#harvester.skip(position.seq)
        else lanes.take(lanes.slotOf(event.subject), arrival(processor, recorded, lanes.fates))
      }
    } finally {
      this.#feeding = false
    }
    this.#loader.load()
    if (this.#harvester.waiting > 0) this.#committer.noted()
    lanes.evict(this.#committed)
  }

  startNext(): boolean {
    const { gate, uncommitted } = this.#settings
    const most = uncommitted - this.#harvester.uncommitted - this.running
    if (this.#end || this.#quiet || !this.#lanes.anyReady || this.#lease.lapsed) return false
    let fed = 0
    this.#feeding = true
    try {
      fed = this.#lanes.feed(gate === undefined || gate.open ? most : Math.min(most, 1))
    } finally {
      this.#feeding = false
    }
    if (this.#harvester.waiting > 0) this.#committer.noted()
    return fed > 0
  }

  quiet(): void {
    this.#quiet = true
    this.effects.quiet()
    this.#work.retries.quiet()
  }

  async commitAll(): Promise<void> {
    // The first may be a commit that is under way and does not know of the last deliveries.
    await this.#committer.flush()
    while (this.#harvester.waiting > 0 && !this.#end) await this.#committer.flush()
    await Promise.all([this.#forwarder.idle(), this.effects.settled()])
  }

  abortHandlers(): void {
    for (const slot of this.#lanes.busy) this.#lanes.recall(slot)
    this.#drained.call()
  }

  drained(): Promise<void> {
    return this.running === 0 ? Promise.resolve() : this.#drained.next()
  }

  endBy(reason: EndReason, error?: unknown): void {
    if (this.#end) return
    this.#end = { reason, error }
    this.#committer.end()
    this.#forwarder.end()
    this.effects.end()
    this.#timers.end()
    this.#work.end()
    this.#loader.end()
    this.#drained.call()
    this.#settings.tell({ kind: 'ended', partition: this.partition, reason, error })
    this.#changed()
  }

  async renew(): Promise<void> {
    if (this.#lease.lapsed) this.alive()
    if ((await this.#lease.renew()) === 'fenced') this.endBy('lost')
    else if (this.#begun) this.#work.retries.look()
  }

  release(): Promise<'released' | 'fenced'> {
    return this.#lease.release()
  }

  /** What earlier owners have left is taken over before the first event. */
  async #begin(): Promise<void> {
    await Promise.all([this.effects.start(), this.#work.prepare()])
    if (this.#end) return
    this.#begun = true
    this.#forwarder.start()
    this.#timers.start()
    this.#work.start()
    this.#changed()
  }

  #settled(count: number): void {
    this.#harvester.settled(count)
    if (this.#feeding) return
    this.alive()
    this.#committer.noted()
    if (this.#lanes.busy.size === 0) this.#drained.call()
    // Not at once: the lane of the delivery is telling of it, and must not be fed meanwhile.
    if (this.#lanes.anyReady) queueMicrotask(() => this.#ready())
  }

  #ready(): void {
    if (!this.#end) this.#changed()
  }

  #decided(): void {
    this.alive()
    if (this.#harvester.waiting > 0) this.#committer.noted()
    if (this.#lanes.busy.size === 0) this.#drained.call()
    if (!this.#feeding) this.#ready()
  }

  #due(timers: readonly KeyTimer[]): void {
    for (const timer of timers)
      this.#lanes.take(this.#lanes.slotOf(timer.key), Delivery.ofTimer(timer.key, timer))
    this.#loader.load()
    this.#changed()
  }

  #batch(): Batch | undefined {
    const gathered = this.#end ? undefined : this.#harvester.gather()
    if (gathered) tellDecided(this.#settings, this.partition, gathered.harvest)
    return gathered && { ...gathered, committed: (result) => this.#came(gathered, result) }
  }

  /** A commit is true: what it says may be carried out. */
  #came(gathered: Gathered, { n, numbers }: Committed): void {
    const { harvest, number, count } = gathered
    const { position, timers } = gathered.content
    this.#proven = true
    this.#committed = number
    this.#harvester.committed(gathered)
    this.alive()
    const { partition, lag } = this
    const figures = harvest.tally?.figures()
    this.#settings.tell({ kind: 'progress', partition, position, settled: count, lag, ...figures })
    if (harvest.outbox.length > 0) {
      for (const [name, topic] of harvest.emits.topics) this.#settings.targets.set(name, topic)
      this.#forwarder.add(n, harvest.outbox, numbers)
    }
    if (harvest.effects.length > 0) this.effects.add(harvest.effects)
    this.#work.retries.came(harvest, n)
    if (timers !== undefined || harvest.fired.length > 0) this.#timers.committed(timers ?? [], harvest.fired)
    this.#changed()
  }
}
