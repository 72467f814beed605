import type { MillraceError } from '@millrace/event'
import { type EventLog, formatPosition, type Position, type Recorded } from '@millrace/log'
import type { Checkpoint, Checkpoints } from './checkpoint.ts'
import { isPoison } from './poison.ts'
import type { Folding, View } from './view.ts'
import type { Building, ViewStore } from './view-store.ts'

/** How far a rebuild is. */
export interface RebuildProgress {
  readonly stage: 'rewinding' | 'reading' | 'swapped'
  /** Events that are in the new generation, over all partitions. */
  readonly applied: number
  /** Events on the log when it was last looked at. */
  readonly total: number
  /** Whether it goes on with what an earlier rebuild had left behind. */
  readonly resumed: boolean
}

/** Options of {@link rebuildView}. */
export interface RebuildOptions<Tx> {
  readonly view: View<Tx>
  readonly store: ViewStore<Tx>
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'tips'>
  /**
   * The last event that is right in the live data: its partition is set back to there and read anew, the others are
   * taken as they are. Default: everything from the beginning of the log.
   */
  readonly from?: Position
  readonly onProgress?: (progress: RebuildProgress) => void
  /** Stops between two pages; the next rebuild with the same start goes on there. */
  readonly signal?: AbortSignal
}

/** What a rebuild came to. */
export interface RebuildResult {
  readonly applied: number
  readonly resumed: boolean
  /** Events that the view could not take: what the group has as dead letters. The first 1,000. */
  readonly skipped: readonly { readonly position: Position; readonly error: MillraceError }[]
}

const pageEvents = 500
/** So many events from a tip that keeps moving, and after so many tries to reach it, the swap brings the rest. */
const nearEnough = 200
const mostNearRounds = 5
const mostSkipped = 1_000

/**
 * Builds a view anew beside the live one, which goes on being read and written, and swaps them at the tip of the log.
 * Sends nothing and touches no group. Interrupted, it can be started again and goes on where it was.
 *
 * @throws MillraceError `view.rebuilding`; those of reading the log; TypeError when `from` is given and the view
 *   cannot be rewound
 */
export async function rebuildView<Tx>(options: RebuildOptions<Tx>): Promise<RebuildResult> {
  const { view, store, from } = options
  if (from && !view.rewind) throw new TypeError(`The view ${view.name} can only be rebuilt whole`)
  await store.prepare()
  const name = from ? `from ${formatPosition(from)}` : 'whole'
  const building = await store.build(name, from ? 'copy' : 'empty')
  try {
    return await new Rebuild(options, building).run()
  } finally {
    await building.close()
  }
}

class Rebuild<Tx> {
  readonly #options: RebuildOptions<Tx>
  readonly #building: Building<Tx>
  readonly #skipped: { position: Position; error: MillraceError }[] = []

  constructor(options: RebuildOptions<Tx>, building: Building<Tx>) {
    this.#options = options
    this.#building = building
  }

  async run(): Promise<RebuildResult> {
    const { from, view } = this.#options
    if (from) await this.#rewind(from)
    for (let nearRounds = 0; ;) {
      const { behind, cursors } = await this.#report('reading')
      this.#options.signal?.throwIfAborted()
      if (behind <= nearEnough) nearRounds += 1
      // On a busy log the last events are always still to come: those the swap brings.
      const near = behind === 0 || nearRounds > mostNearRounds
      if (near && (await this.#swapped(view))) break
      await this.#readPage(cursors)
    }
    const { applied } = await this.#totals(await this.#options.store.checkpoints())
    this.#tell('swapped', applied, applied)
    return { applied, resumed: this.#building.resumed, skipped: this.#skipped.slice(0, mostSkipped) }
  }

  /** Swaps; false when an event in the rest is poison, which is to be found by reading it. */
  async #swapped(view: View<Tx>): Promise<boolean> {
    try {
      await this.#building.swap((partition, after, to) => this.#between(partition, after, to), view)
      return true
    } catch (error) {
      if (!isPoison(error)) throw error
      return false
    }
  }

  async #rewind({ partition, id, seq }: Position): Promise<void> {
    const { view } = this.#options
    await this.#building.rewind(partition, { id, seq }, async (tx) => {
      this.#options.signal?.throwIfAborted()
      await this.#report('rewinding')
      return (await view.rewind?.(tx, { partition, seq }, (key) => this.#history(key, seq))) ?? 'done'
    })
  }

  async #readPage(cursors: Checkpoints): Promise<void> {
    const after = new Map([...cursors].map(([partition, { id }]) => [partition, id]))
    const pages = await this.#options.log.read(this.#options.view.topic, after, { limit: pageEvents })
    for (const events of pages.values()) await this.#apply(events)
  }

  /** A batch; when one of its events is poison, one by one without it, as the group does with its dead letters. */
  async #apply(events: readonly Recorded[]): Promise<void> {
    try {
      await this.#building.apply(events, this.#options.view)
    } catch (error) {
      if (!isPoison(error)) throw error
      for (const one of events) await this.#applyOrSkip(one)
    }
  }

  async #applyOrSkip(one: Recorded): Promise<void> {
    try {
      await this.#building.apply([one], this.#options.view)
    } catch (error) {
      if (!isPoison(error)) throw error
      this.#skipped.push({ position: one.position, error })
      await this.#building.apply([one], skipping(this.#options.view))
    }
  }

  async #history(key: string, upTo: number): Promise<readonly Recorded[]> {
    const { log, view } = this.#options
    const events: Recorded[] = []
    for (;;) {
      const page = await log.readKey(view.topic, key, { afterVersion: events.length })
      events.push(...page.events)
      if (page.events.length === 0 || events.length >= page.version) break
    }
    return events.filter(({ position }) => position.seq <= upTo)
  }

  async #between(partition: number, after: Checkpoint, to: Checkpoint): Promise<readonly Recorded[]> {
    const { log, view } = this.#options
    const events: Recorded[] = []
    for (let cursor = after; cursor.seq < to.seq;) {
      const page = (await log.read(view.topic, new Map([[partition, cursor.id]]), { limit: pageEvents })).get(
        partition,
      )
      const last = page?.at(-1)
      if (!page || !last) break
      events.push(...page.filter(({ position }) => position.seq <= to.seq))
      cursor = last.position
    }
    return events
  }

  async #report(stage: 'rewinding' | 'reading'): Promise<{ behind: number; cursors: Checkpoints }> {
    const cursors = await this.#building.checkpoints()
    const { applied, total } = await this.#totals(cursors)
    this.#tell(stage, applied, total)
    return { behind: total - applied, cursors }
  }

  async #totals(cursors: Checkpoints): Promise<{ applied: number; total: number }> {
    const tips = await this.#options.log.tips(this.#options.view.topic)
    return {
      applied: [...cursors.values()].reduce((sum, { seq }) => sum + seq, 0),
      total: tips.reduce((sum, { seq }) => sum + seq, 0),
    }
  }

  #tell(stage: RebuildProgress['stage'], applied: number, total: number): void {
    this.#options.onProgress?.({ stage, applied, total, resumed: this.#building.resumed })
  }
}

/** Moves past events and leaves them out. */
function skipping<Tx>({ lastSeqs }: Folding<Tx>): Folding<Tx> {
  return { lastSeqs, fold: async () => undefined }
}
