import { MillraceError } from '@millrace/event'
import { backoffMs, pause } from './backoff.ts'
import { type ConsumerHealth, consumerHealth, type PartitionHealth } from './consumer-health.ts'
import type { ConsumerSettings } from './consumer-settings.ts'
import { GateKeeper } from './gate-keeper.ts'
import type { GroupPartition } from './group-store.ts'
import { HeldLease } from './held-lease.ts'
import { PartitionRun } from './partition-run.ts'
import { Reader } from './reader.ts'
import { WakeUp } from './wake-up.ts'

/** Pauses before a partition that ended by a fault is tried again. */
const faultRetry = { firstMs: 500, maxMs: 30_000 }
/** How long an aborted handler may take to notice, and a last commit to come back, in ms. */
const graceMs = 2_000

interface Fault {
  readonly count: number
  readonly retryAtMs: number
  readonly message: string
}

/** One member of a group: tries for the leases of all partitions, works on those it has, and gives them back. */
export class GroupConsumer {
  readonly #settings: ConsumerSettings
  readonly #runs = new Map<number, PartitionRun>()
  readonly #draining = new Set<PartitionRun>()
  readonly #tending = new Map<number, Promise<void>>()
  readonly #comparedAtMs = new WeakMap<PartitionRun, number>()
  readonly #faults = new Map<number, Fault>()
  readonly #stopping = new AbortController()
  readonly #tend = new WakeUp()
  readonly #reader: Reader
  readonly #gate: GateKeeper
  readonly #loops: readonly Promise<void>[]
  #running = 0
  #turn = 0
  #stopped: Promise<void> | undefined

  constructor(settings: ConsumerSettings) {
    this.#settings = settings
    this.#gate = new GateKeeper(settings, this.#stopping.signal, () => this.#pump())
    this.#reader = new Reader(settings, this.#runs, this.#stopping.signal, (run) => this.#heard(run))
    this.#loops = [this.#tendAll(), this.#reader.watch()]
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  health(): ConsumerHealth {
    const partitions = this.#partitions().map((partition): PartitionHealth => {
      const run = this.#runs.get(partition)
      const fault = this.#faults.get(partition)
      return {
        partition,
        owned: run !== undefined && run.end === undefined,
        ...(run === undefined
          ? {}
          : {
              position: run.position,
              lag: run.lag,
              inHand: run.inHand,
              backingOff: run.backingOff,
              stalledForMs: Math.round(run.stalledForMs),
            }),
        ...(fault === undefined ? {} : { fault: fault.message }),
      }
    })
    const { stalledMs } = this.#settings
    const stopping = this.#stopping.signal.aborted
    return consumerHealth(partitions, { paused: this.#gate.paused, stopping, stalledMs })
  }

  /** Takes and renews leases, again and again, until the stop. A partition that takes long keeps no other waiting. */
  async #tendAll(): Promise<void> {
    const everyMs = Math.max(10, Math.min(this.#settings.leaseMs / 3, 1_000))
    while (!this.#stopping.signal.aborted) {
      for (const partition of this.#partitions()) {
        if (this.#tending.has(partition)) continue
        const tended = this.#tendOne(partition).finally(() => this.#tending.delete(partition))
        this.#tending.set(partition, tended)
      }
      await this.#tend.sleep(everyMs)
    }
    await Promise.all(this.#tending.values())
  }

  async #tendOne(partition: number): Promise<void> {
    const run = this.#runs.get(partition)
    try {
      if (run) await this.#renew(run)
      else if (performance.now() >= (this.#faults.get(partition)?.retryAtMs ?? 0)) await this.#take(partition)
    } catch (error) {
      const passing = error instanceof MillraceError && error.retryable
      if (!passing && run) run.endBy('fault', error)
      else if (!passing) this.#faulty(partition, error)
      this.#settings.tell({ kind: 'trouble', partition, error })
    }
  }

  async #renew(run: PartitionRun): Promise<void> {
    if (run.end) return
    if (this.#gate.paused) run.alive()
    const sinceMs = run.stalledForMs
    if (sinceMs >= this.#settings.stalledMs) {
      this.#settings.tell({ kind: 'stalled', partition: run.partition, sinceMs })
      return
    }
    await run.renew()
    // What waited because the lease had run out locally may go on.
    this.#pump()
    await this.#compare(run)
  }

  /** What the handler keeps may have been deleted or set back under a reader that has nothing to do: then anew from there. */
  async #compare(run: PartitionRun): Promise<void> {
    const { startAt, leaseMs } = this.#settings
    const now = performance.now()
    if (!startAt || now - (this.#comparedAtMs.get(run) ?? 0) < leaseMs / 3) return
    this.#comparedAtMs.set(run, now)
    const { seq } = run.position
    if ((await startAt(run.partition)).seq < seq) run.endBy('restart')
  }

  async #take(partition: number): Promise<void> {
    const { store, topic, group, member, leaseMs, startAt } = this.#settings
    const at: GroupPartition = { topic, partition, group }
    const askedAtMs = performance.now()
    const lease = await store.acquire(at, member, leaseMs)
    if (!lease) return
    const held = new HeldLease(store, at, lease, leaseMs, askedAtMs)
    let start = { at: lease.position, ahead: lease.ahead }
    try {
      if (startAt) start = { at: await startAt(partition), ahead: [] }
    } catch (error) {
      await held.release()
      throw error
    }
    if (this.#stopping.signal.aborted) {
      await held.release()
      return
    }
    const run = new PartitionRun(this.#settings, partition, held, start, () => this.#noticed(run))
    this.#runs.set(partition, run)
    this.#settings.tell({ kind: 'leased', partition, position: start.at })
    this.#reader.added(run)
  }

  /** Something has changed in a run: it has ended, or there is room or work. */
  #noticed(run: PartitionRun): void {
    if (run.end && run.end !== 'stop' && !this.#draining.has(run)) void this.#drain(run)
    this.#reader.changed(run)
    this.#heard(run)
  }

  #heard(run: PartitionRun): void {
    if (run.proven) this.#faults.delete(run.partition)
    this.#pump()
  }

  /** Takes leave of a run that has ended: not before its last handler has. */
  async #drain(run: PartitionRun): Promise<void> {
    this.#draining.add(run)
    // One that asks to start again and again without having got anywhere must not spin.
    if (run.end === 'fault' || (run.end === 'restart' && !run.proven)) this.#faulty(run.partition, run.error)
    await run.drained()
    try {
      if (run.end !== 'lost') await run.release()
    } catch (error) {
      this.#settings.tell({ kind: 'trouble', partition: run.partition, error })
    }
    this.#draining.delete(run)
    this.#runs.delete(run.partition)
    this.#tend.call()
  }

  #faulty(partition: number, error: unknown): void {
    const count = (this.#faults.get(partition)?.count ?? 0) + 1
    const message = error instanceof Error ? error.message : String(error)
    this.#faults.set(partition, {
      count,
      message,
      retryAtMs: performance.now() + backoffMs(faultRetry, count),
    })
  }

  /** Starts handlers as long as there is work and a slot, taking the partitions in turn. */
  #pump(): void {
    const runs = [...this.#runs.values()]
    let idle = 0
    while (idle < runs.length && this.#running < this.#settings.concurrency && this.#gate.allows()) {
      const run = runs[this.#turn++ % runs.length]
      const started = run?.startNext()
      if (!started) {
        idle += 1
        continue
      }
      idle = 0
      this.#gate.passed()
      this.#running += 1
      void started.finally(() => {
        this.#running -= 1
        this.#pump()
      })
    }
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    this.#tend.call()
    const runs = [...this.#runs.values()]
    for (const run of runs) run.quiet()
    await Promise.all([...this.#loops, ...runs.map((run) => this.#finish(run))])
  }

  /** Lets the handlers end, commits, and gives the lease back; a handler that does not end keeps it until its deadline. */
  async #finish(run: PartitionRun): Promise<void> {
    if (!(await within(run.drained(), this.#settings.stopMs))) {
      run.abortHandlers()
      await within(run.drained(), graceMs)
    }
    await within(run.commitAll(), graceMs)
    run.endBy('stop')
    if (run.running > 0) return
    try {
      await within(run.release(), graceMs)
    } catch (error) {
      this.#settings.tell({ kind: 'trouble', partition: run.partition, error })
    }
    this.#runs.delete(run.partition)
  }

  #partitions(): readonly number[] {
    return Array.from({ length: this.#settings.topic.partitions }, (_, partition) => partition)
  }
}

/** Waits for a piece of work, at most so long; answers whether it has ended. */
async function within(work: Promise<void>, mostMs: number): Promise<boolean> {
  const late = new AbortController()
  const ended = work.then(() => true)
  try {
    return await Promise.race([ended, pause(mostMs, late.signal).then(() => false)])
  } finally {
    late.abort()
  }
}
