import { MillraceError } from '@millrace/event'
import { type ConsumerHealth, consumerHealth, type PartitionHealth, runHealth } from './consumer-health.ts'
import type { ConsumerSettings } from './consumer-settings.ts'
import { drain, graceMs, within } from './drain.ts'
import { GateKeeper } from './gate-keeper.ts'
import { Membership } from './members/membership.ts'
import { PartitionFaults } from './partition-faults.ts'
import type { PartitionWork } from './partition-work.ts'
import { Reader } from './reader.ts'
import { takePartition } from './take-partition.ts'
import { WakeUp } from './wake-up.ts'

/** Pause between two tries for a partition that this member is the desired owner of, in ms. */
const eagerMs = 100

/**
 * One member of a group: tries for the leases of its partitions (those that the list of members gives it, or all),
 * works on those it has, and gives them back.
 */
export class GroupConsumer {
  readonly #settings: ConsumerSettings
  readonly #runs = new Map<number, PartitionWork>()
  /** Runs that have ended: each is taken leave of once, whatever is heard of it later. */
  readonly #leaving = new WeakMap<PartitionWork, Promise<boolean>>()
  /** Runs that are being handed over. */
  readonly #moving = new Set<PartitionWork>()
  readonly #faults: PartitionFaults
  /** When each run was last compared with what its handler keeps. */
  readonly #comparedAtMs = new WeakMap<PartitionWork, number>()
  readonly #tokens = new WeakMap<PartitionWork, string>()
  /** Partitions that it is the desired owner of and does not have yet, and since when. */
  readonly #awaited = new Map<number, number>()
  readonly #tending = new Map<number, Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #tend: WakeUp
  readonly #reader: Reader
  readonly #gate: GateKeeper
  readonly #members: Membership | undefined
  readonly #loops: readonly Promise<void>[]
  /** The last call to the store failed. */
  #troubled = false
  #turn = 0
  #pumping = false
  #again = false
  #stopped: Promise<void> | undefined

  constructor(settings: ConsumerSettings) {
    this.#settings = settings
    this.#faults = new PartitionFaults(settings)
    this.#tend = new WakeUp(settings.timers)
    const stopping = this.#stopping.signal
    this.#gate = new GateKeeper(settings, stopping, () => this.#pump())
    this.#reader = new Reader(settings, this.#runs, stopping, (run) => this.#heard(run))
    this.#members = this.#membership()
    this.#loops = [
      this.#tendAll(),
      this.#reader.watch(),
      ...(this.#members ? [this.#takePart(this.#members)] : []),
    ]
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  health(): ConsumerHealth {
    const partitions = this.#partitions().map((partition) => this.#healthOf(partition))
    const { stalledMs, leaseMs } = this.#settings
    const stopping = this.#stopping.signal.aborted
    const members = this.#members?.health()
    return consumerHealth(partitions, { paused: this.#gate.paused, stopping, stalledMs, leaseMs, members })
  }

  #healthOf(partition: number): PartitionHealth {
    const run = this.#runs.get(partition)
    const fault = this.#faults.message(partition)
    const awaitedSinceMs = this.#awaited.get(partition)
    return {
      partition,
      owned: run !== undefined && run.end === undefined,
      ...(run === undefined ? {} : runHealth(run)),
      ...(run !== undefined && this.#moving.has(run) ? { handingOver: true } : {}),
      ...(awaitedSinceMs === undefined
        ? {}
        : { awaitedForMs: Math.round(this.#settings.elapsedMs() - awaitedSinceMs) }),
      ...(fault === undefined ? {} : { fault }),
    }
  }

  #membership(): Membership | undefined {
    const { members, topic, group, member, leaseMs, timers, random, tell } = this.#settings
    if (!members) return undefined
    return new Membership({
      list: members,
      at: { topic, group },
      member,
      ttlMs: leaseMs,
      declines: () => this.#faults.declined(),
      changed: () => this.#tend.call(),
      ...{ timers, random, tell },
    })
  }

  async #takePart(members: Membership): Promise<void> {
    await members.run(this.#stopping.signal)
    try {
      await members.leave()
    } catch (error) {
      this.#settings.tell({ kind: 'trouble', error })
    }
  }

  /** Takes and renews leases, again and again, until the stop. No partition waits for another one. */
  async #tendAll(): Promise<void> {
    const everyMs = Math.max(10, Math.min(this.#settings.leaseMs / 3, 1_000))
    for (let renewAtMs = 0; !this.#stopping.signal.aborted;) {
      const renewing = this.#settings.elapsedMs() >= renewAtMs
      if (renewing) renewAtMs = this.#settings.elapsedMs() + everyMs
      for (const partition of this.#partitions()) {
        if (this.#tending.has(partition)) continue
        const work = this.#tendOne(partition, renewing).finally(() => this.#tending.delete(partition))
        this.#tending.set(partition, work)
      }
      const restMs = Math.max(0, renewAtMs - this.#settings.elapsedMs())
      const eager = this.#awaited.size > 0 && !this.#troubled
      await this.#tend.sleep(eager ? Math.min(restMs, eagerMs) : restMs)
    }
    await Promise.all(this.#tending.values())
  }

  async #tendOne(partition: number, renewing: boolean): Promise<void> {
    const run = this.#runs.get(partition)
    try {
      if (!run) await this.#try(partition)
      else {
        this.#moveIfDue(run)
        if (renewing) await this.#renew(run)
      }
    } catch (error) {
      this.#troubled = true
      const passing = error instanceof MillraceError && error.retryable
      if (!passing && run) run.endBy('fault', error)
      else if (!passing) this.#faults.add(partition, error)
      this.#settings.tell({ kind: 'trouble', partition, error })
    }
  }

  async #renew(run: PartitionWork): Promise<void> {
    if (run.end) return
    if (this.#gate.paused) run.alive()
    const sinceMs = run.stalledForMs
    const { stalledMs, leaseMs } = this.#settings
    if (sinceMs >= stalledMs) {
      this.#faults.decline(run.partition, stalledMs + leaseMs)
      this.#settings.tell({ kind: 'stalled', partition: run.partition, sinceMs })
      return
    }
    await run.renew()
    this.#troubled = false
    // What waited because the lease had run out locally may go on.
    this.#pump()
    await this.#compare(run)
  }

  /** What the handler keeps may have been deleted or set back under a reader that has nothing to do: then anew from there. */
  async #compare(run: PartitionWork): Promise<void> {
    const { elsewhere, leaseMs } = this.#settings
    const now = this.#settings.elapsedMs()
    if (!elsewhere || now - (this.#comparedAtMs.get(run) ?? 0) < leaseMs / 3) return
    this.#comparedAtMs.set(run, now)
    const held = { partition: run.partition, token: this.#tokens.get(run) ?? '' }
    if (!(await elsewhere.holds(held))) run.endBy('restart')
  }

  async #try(partition: number): Promise<void> {
    if (!this.#faults.mayTry(partition)) return
    if (this.#members) {
      if (!this.#members.desires(partition)) {
        this.#awaited.delete(partition)
        return
      }
      if (!this.#awaited.has(partition)) this.#awaited.set(partition, this.#settings.elapsedMs())
    }
    const signal = this.#stopping.signal
    const taken = await takePartition(this.#settings, partition, signal, (work) => this.#noticed(work))
    this.#troubled = false
    if (!taken) return
    const { work: run, token } = taken
    this.#tokens.set(run, token)
    this.#awaited.delete(partition)
    this.#runs.set(partition, run)
    this.#settings.tell({ kind: 'leased', partition, position: run.position })
    this.#reader.added(run)
  }

  /** Begins to hand a partition over, when another live member is its desired owner. */
  #moveIfDue(run: PartitionWork): void {
    const heir = this.#members?.heirOf(run.partition)
    if (heir !== undefined && !run.end && !this.#moving.has(run)) void this.#move(run, heir)
  }

  async #move(run: PartitionWork, to: string): Promise<void> {
    const { partition } = run
    const { stopMs, timers, elapsedMs, tell } = this.#settings
    const beganMs = elapsedMs()
    this.#moving.add(run)
    tell({ kind: 'handing-over', partition, to })
    await drain(run, 'moved', stopMs, timers)
    const released = (await this.#leaving.get(run)) === true
    this.#moving.delete(run)
    tell({ kind: 'handed-over', partition, to, released, tookMs: Math.round(elapsedMs() - beganMs) })
  }

  /** Something has changed in a run: it has ended, or there is room or work. */
  #noticed(run: PartitionWork): void {
    if (run.end && run.end !== 'stop' && !this.#leaving.has(run)) this.#leaving.set(run, this.#leave(run))
    this.#reader.changed(run)
    this.#heard(run)
  }

  #heard(run: PartitionWork): void {
    if (run.proven) this.#faults.clear(run.partition)
    this.#pump()
  }

  /** Takes leave of a run that has ended: not before its last handler has. Answers whether the lease was given back. */
  async #leave(run: PartitionWork): Promise<boolean> {
    const { partition } = run
    if (run.end === 'fault') this.#faults.add(partition, run.error)
    if (!(await within(run.drained(), graceMs, this.#settings.timers))) {
      this.#faults.decline(partition, Number.POSITIVE_INFINITY)
      await run.drained()
      this.#faults.decline(partition, this.#settings.stalledMs)
    }
    let released = false
    try {
      if (run.end !== 'lost') released = (await run.release()) === 'released'
    } catch (error) {
      this.#settings.tell({ kind: 'trouble', partition, error })
    }
    this.#runs.delete(partition)
    this.#tend.call()
    return released
  }

  /** Starts handlers as long as there is work and room, taking the partitions in turn. */
  #pump(): void {
    // What is started may say at once that there is more: that is looked at in another round, not within this one.
    this.#again = true
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#again) this.#startAll()
    } finally {
      this.#pumping = false
    }
  }

  #startAll(): void {
    this.#again = false
    const runs = [...this.#runs.values()]
    let idle = 0
    while (idle < runs.length && this.#gate.allows()) {
      const run = runs[this.#turn++ % runs.length]
      if (run?.startNext()) {
        idle = 0
        this.#gate.passed()
      } else idle += 1
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
  async #finish(run: PartitionWork): Promise<void> {
    const { stopMs, timers, tell } = this.#settings
    await drain(run, 'stop', stopMs, timers)
    if (run.running > 0) return
    const leaving = this.#leaving.get(run)
    try {
      await within(leaving ?? run.release(), graceMs, timers)
    } catch (error) {
      tell({ kind: 'trouble', partition: run.partition, error })
    }
    this.#runs.delete(run.partition)
  }

  #partitions(): readonly number[] {
    return Array.from({ length: this.#settings.topic.partitions }, (_, partition) => partition)
  }
}
