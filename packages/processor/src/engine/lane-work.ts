import type { GroupPartition } from '../group-store.ts'
import { brokenPipeline } from './broken-pipeline.ts'
import { DeferralBeat } from './deferral-beat.ts'
import type { EngineSettings } from './engine-settings.ts'
import { Failures } from './failures.ts'
import { Harvester } from './harvester.ts'
import { KeyLanes } from './key-lanes.ts'
import { KeyToucher } from './key-toucher.ts'
import { Later } from './later.ts'
import { takeOver } from './load-slot.ts'
import { Retries } from './retries.ts'
import type { SeqWindow } from './seq-window.ts'
import { ShadowWatch } from './shadow-watch.ts'
import { SlowWatch } from './slow-watch.ts'

/** What the work on lanes tells the engine that it is in. */
export interface LaneWorkOwner {
  /** Number of the last commit that has come back. */
  committed(): number
  /** So many more deliveries wait for a commit. */
  settled(count: number): void
  /** Something can go on that could not before. */
  ready(): void
  /** A failure was decided upon: a key goes on, or does not any more. */
  decided(): void
  /** More of a parked line can be handed over, or committed. */
  read(): void
  /** Slots were made: their keys are to be loaded. */
  load(): void
  /** The work is over. */
  ended(reason: 'restart' | 'fault', error: unknown): void
}

/** The lanes of a partition with everything that feeds, watches and harvests them. */
export class LaneWork {
  readonly lanes: KeyLanes
  readonly later: Later
  readonly harvester: Harvester
  readonly retries: Retries
  readonly #slow: SlowWatch
  readonly #shadow: ShadowWatch | undefined
  readonly #toucher: KeyToucher
  readonly #beat: DeferralBeat

  constructor(settings: EngineSettings, at: GroupPartition, window: SeqWindow, owner: LaneWorkOwner) {
    const failed = (error: unknown) => owner.ended('fault', error)
    const later = (this.later = new Later(settings.timers))
    const lanes = (this.lanes = new KeyLanes(settings, {
      settled: (count) => owner.settled(count),
      ready: () => owner.ready(),
      failed: (slot, delivery, error) => failures.take(slot, delivery, error),
      touch: (slot) => this.#toucher.begin(slot),
      known: (slot) => this.retries.known(slot),
      stuck: (slot) => failures.parkStuck(slot),
      moved: (slot) => this.retries.moved(slot),
    }))
    const parts = { lanes, later }
    const failures = new Failures(settings, at.partition, parts, {
      restart: (error) => owner.ended('restart', error),
      broken: (error) => failed(brokenPipeline(settings.processor, error)),
      changed: () => owner.decided(),
    })
    const withheld = settings.withheldIn?.(at.partition)
    const shadow = settings.processor.shadow && new ShadowWatch(settings, at, later, failed)
    this.#shadow = shadow
    this.#toucher = new KeyToucher(settings, at, {
      cursor: () => window.cursor.seq,
      touched: (slot, taken) => {
        takeOver(slot, taken)
        if (slot.waiting.length > 0 || slot.beat) lanes.wake(slot)
        this.retries.known(slot)
        owner.ready()
      },
      failed: (slot, error) => {
        slot.phase = 'open'
        failures.untouched(slot, error)
      },
    })
    this.harvester = new Harvester(settings, { lanes, window, failures, withheld, shadow })
    this.retries = new Retries(settings, at, parts, {
      committed: () => owner.committed(),
      read: (slot) => {
        if (slot) this.harvester.release(slot)
        owner.read()
      },
      load: () => owner.load(),
      failed,
    })
    this.#beat = new DeferralBeat(settings, at, parts, {
      load: () => owner.load(),
      changed: () => owner.read(),
      failed,
    })
    this.#slow = new SlowWatch(settings, { ...parts, failures, window })
  }

  /** What is to be known before the first event. */
  async prepare(): Promise<void> {
    await this.#shadow?.start()
  }

  /** What earlier owners have left, and what takes too long. */
  start(): void {
    this.retries.start()
    this.#slow.start()
    this.#beat.start()
  }

  end(): void {
    this.retries.end()
    this.#beat.end()
    this.#shadow?.end()
    this.#toucher.end()
    this.later.end()
    this.lanes.close()
  }
}
