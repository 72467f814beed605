import type { GroupPartition } from '../group-store.ts'
import { DueWatch } from './due-watch.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { Harvest } from './harvest.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import type { Later } from './later.ts'
import { LateRunner } from './late-runner.ts'
import { LineRunner } from './line-runner.ts'
import { RetryPlanner } from './retry-planner.ts'

/** How often the owner asks for what others have marked, in ms: two reads of short lists. */
const lookMs = 1_000

/** What retries ask of the engine that they work for. */
export interface RetriesOwner {
  /** Number of the last commit that has come back. */
  committed(): number
  /** More can be handed over; of a line that was read, what was held back can be committed. */
  read(slot?: KeySlot): void
  load(): void
  failed(error: unknown): void
}

/** Everything about parked keys and requeued letters of a partition between one commit and the next. */
export class Retries {
  readonly #due: DueWatch
  readonly #lines: LineRunner
  readonly #planner: RetryPlanner
  readonly #late: LateRunner
  readonly #later: Later
  readonly #partition: number
  readonly #tell: EngineSettings['tell']
  readonly #unring: () => void

  constructor(
    settings: EngineSettings,
    at: GroupPartition,
    parts: { readonly lanes: KeyLanes; readonly later: Later },
    owner: RetriesOwner,
  ) {
    const { lanes, later } = parts
    this.#later = later
    this.#partition = at.partition
    this.#tell = settings.tell
    const failed = (error: unknown) => owner.failed(error)
    this.#lines = new LineRunner(settings, at, lanes, { read: (slot) => owner.read(slot), failed })
    this.#late = new LateRunner(settings, at, lanes, {
      load: () => owner.load(),
      changed: () => owner.read(),
      failed,
      after: (delayMs, act) => later.after(delayMs, act),
    })
    this.#planner = new RetryPlanner(settings, at, later, failed)
    this.#due = new DueWatch(settings, at, parts, {
      clean: (slot) => !slot.dirty && slot.settled.length === 0 && slot.inCommit <= owner.committed(),
      run: (slot, markMs) => slot.parked && this.#lines.begin(slot, slot.parked, markMs),
      load: () => owner.load(),
      failed,
    })
    this.#unring = settings.dueBell.hear(at.partition, () => this.#due.look())
  }

  /** What earlier owners have left: marks, and records without a job. */
  start(): void {
    this.#lookOnAndOn()
    this.#planner.start()
  }

  /** There may be marks that another process has set. */
  look(): void {
    this.#due.look()
    this.#late.look()
  }

  /** Rulings and marks of other processes are to be noticed before somebody wonders. */
  #lookOnAndOn(): void {
    this.look()
    this.#later.after(lookMs, () => this.#lookOnAndOn())
  }

  known(slot: KeySlot): void {
    this.#late.known(slot)
    this.#due.ready(slot)
  }

  moved(slot: KeySlot): void {
    this.#lines.more(slot)
  }

  /** A commit is true. */
  came({ lines, late, rulings }: Harvest, n: number): void {
    this.#late.settled(late)
    for (const { key, seq, afterSeq } of rulings.lateRuns)
      this.#tell({ kind: 'late', partition: this.#partition, key, seq, afterSeq })
    for (const { slot, line, no, change } of lines) {
      const { park, unpark, fresh, ended } = change
      // Also when the line goes on: its head has another number from now on, and by that another job.
      if (no !== undefined && (unpark || fresh)) this.#planner.forget(slot.key, no, change.head)
      if (park) {
        if (fresh) line.no = n
        if ((fresh || ended) && line.run === undefined && line.no !== undefined)
          this.#planner.plan({ ...park, no: line.no })
      }
      if (ended || unpark) this.#due.over(slot)
      if (slot.parked === undefined) this.#late.opened(slot.key)
    }
    this.#due.committed()
  }

  /** Begins no more of them. */
  quiet(): void {
    this.#due.end()
    this.#late.end()
  }

  end(): void {
    this.#unring()
    this.#due.end()
    this.#lines.end()
    this.#late.end()
    this.#planner.end()
  }
}
