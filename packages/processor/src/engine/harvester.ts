import type { Delivery } from '../lane/delivery.ts'
import { CommitMarks } from './commit-marks.ts'
import type { CommitContent } from './engine-lease.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { Failures } from './failures.ts'
import { Harvest, type HarvestParts } from './harvest.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'

/** What a harvester works with. */
export interface HarvesterParts extends HarvestParts {
  readonly lanes: KeyLanes
  readonly failures: Failures
}

/** What one commit is to say. */
export interface Gathered {
  readonly harvest: Harvest
  readonly content: CommitContent
  /** What is settled since can be gathered before the result is known. */
  readonly plain: boolean
  /** Counts the commits of this lease, from 1. */
  readonly number: number
  /** Events that it settles. */
  readonly count: number
}

/** Gathers what is settled in the lanes of a partition, commit by commit. */
export class Harvester {
  readonly #settings: EngineSettings
  readonly #parts: HarvesterParts
  readonly #marks: CommitMarks
  #settled = 0
  /** Events that are not for this group. */
  #skipped = 0
  #number = 0
  /** Deliveries in commits that were gathered and have not come back. */
  #underWay = 0

  constructor(settings: EngineSettings, parts: HarvesterParts) {
    this.#settings = settings
    this.#parts = parts
    this.#marks = new CommitMarks(settings)
  }

  /** Deliveries that are settled and in no commit. */
  get waiting(): number {
    return this.#settled + this.#skipped
  }

  /** Deliveries that are settled and in no commit that has come back. */
  get uncommitted(): number {
    return this.#settled + this.#underWay
  }

  /** A commit has come back. */
  committed({ harvest }: Gathered): void {
    this.#underWay -= harvest.count
  }

  settled(count: number): void {
    this.#settled += count
  }

  /** The line of a parked key was read on: what was held back can be committed. */
  release(slot: KeySlot): void {
    if (slot.heldBack === 0) return
    this.#settled += slot.heldBack
    slot.heldBack = 0
    this.#parts.lanes.touch(slot)
  }

  skip(seq: number): void {
    this.#parts.window.settle(seq)
    this.#skipped += 1
  }

  /** Everything that fits into one commit; undefined when there is nothing. */
  gather(): Gathered | undefined {
    if (this.waiting === 0) return undefined
    const { lanes, window } = this.#parts
    const harvest = new Harvest(this.#settings, this.#parts)
    this.#number += 1
    const { dirty } = lanes
    lanes.dirty = []
    for (const slot of dirty)
      if (harvest.full) lanes.dirty.push(slot)
      else this.#gatherSlot(harvest, slot)
    const said = harvest.content(this.#skipped)
    const content = { ...said, ...this.#marks.next(window.inHand === 0) }
    const count = harvest.count + this.#skipped
    harvest.tally?.noteOthers('skipped', this.#skipped)
    this.#skipped = 0
    this.#settled -= harvest.count
    this.#underWay += harvest.count
    // Lines of parked keys go by the numbers that their commits give them.
    const plain = harvest.lines.length === 0 && harvest.late.length === 0
    return { harvest, content, plain, number: this.#number, count }
  }

  #gatherSlot(harvest: Harvest, slot: KeySlot): void {
    const { lanes } = this.#parts
    slot.dirty = false
    slot.inCommit = this.#number
    this.#settled += slot.heldBack
    slot.heldBack = 0
    const fault = harvest.take(slot)
    if (fault) this.#undo(slot, fault.culprit, fault.error)
    const { parked, settled } = slot
    if (parked?.run !== undefined && settled.length > 0 && !parked.atEnd && !harvest.full) {
      // Waits for the next page of its line: nothing to commit until then.
      slot.heldBack = settled.length
      this.#settled -= settled.length
    } else if (settled.length > 0 || parked?.changed) lanes.touch(slot)
  }

  /** Nothing from the culprit on is true: it is handled again, without it. */
  #undo(slot: KeySlot, culprit: Delivery, error: unknown): void {
    const { lanes, failures } = this.#parts
    const again = slot.settled
    slot.dropSettled(again.length)
    this.#settled -= again.length
    lanes.recall(slot)
    if (slot.phase === 'parked') {
      const lined = slot.parked?.dissolve()
      if (lined === undefined) {
        failures.restart(error)
        return
      }
      this.#settled -= lined.length + 1
      slot.parked = undefined
      slot.waiting.putBack(lined)
    }
    slot.waiting.putBack(again)
    slot.record = slot.base
    if (slot.phase === 'backing-off') return
    slot.phase = 'open'
    failures.take(slot, culprit, error)
  }
}
