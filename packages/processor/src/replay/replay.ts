import { type Clock, MillraceError, systemClock, type Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { freshId, systemElapsedMs } from '@millrace/event'
import { systemTimers, type Timers } from '../lane/timers.ts'
import type { Processor } from '../model/processor.ts'
import { compareGenerations, type GenerationDifferences } from './compare-generations.ts'
import { EmitComparison, type EmitCounts } from './emit-comparison.ts'
import { fireDue } from './due-meanwhile.ts'
import type { GenerationStore } from './generations.ts'
import { ReplayPartition } from './replay-partition.ts'
import { type ReplayBounds, replayBounds, type ReplaySettings } from './replay-settings.ts'
import { type OwnDecision, settleMeanwhile } from './settled-meanwhile.ts'
import { switchPartition } from './switch-partition.ts'

/** How far a replay is. */
export interface ReplayProgress {
  /** Events that are folded, over all partitions. */
  readonly folded: number
  /** Events that the live generation has settled, as last seen. */
  readonly total: number
}

/** Options of {@link replay}; bounds have the defaults of {@link replayBounds}. */
export interface ReplayOptions extends Partial<ReplayBounds> {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'tips'>
  readonly store: GenerationStore
  /** What happens when the new generation is where the live one is. Default `keep`: it stays beside it. */
  readonly finish?: 'keep' | 'compare' | 'switch'
  /** Compares what is emitted with the target topics. Default true; false counts it only. */
  readonly compareEmits?: boolean
  /** Switches although the program sets aside or gives up what the live one has handled. Default false. */
  readonly force?: boolean
  /** Most keys whose differences are told. Default 20. */
  readonly mostDifferences?: number
  readonly onProgress?: (progress: ReplayProgress) => void
  /** Stops between two commits; the next replay goes on there. */
  readonly signal?: AbortSignal
  readonly member?: string
  readonly clock?: Clock
  readonly timers?: Timers
  readonly elapsedMs?: () => number
}

/** What a replay came to. */
export interface ReplayReport {
  readonly generation: number
  /** Events that this run has folded. */
  readonly folded: number
  /** Events that an earlier run had folded. */
  readonly resumed: number
  /** What this run has not carried out. */
  readonly withheld: { readonly effects: number; readonly emits: number }
  /** How the emits of this run compare with their topics. */
  readonly emits: EmitCounts | undefined
  /** What the live generation has handled and the program has not. The first 100. */
  readonly own: readonly OwnDecision[]
  readonly switched: boolean
  /** With `finish: 'compare'`. */
  readonly differences: GenerationDifferences | undefined
}

const mostOwn = 100

/**
 * Folds the whole history of a group anew, by the present program, into a generation beside the live one, which goes
 * on working. Carries out no effect and appends no event. Interrupted, it can be started again and goes on where it
 * was. See docs/replay.md.
 *
 * @throws MillraceError `replay.failed`, `replay.held`, `replay.refused`, `replay.behind`; those of log and store
 */
export async function replay<T extends Topic, S>(
  processor: Processor<T, S>,
  options: ReplayOptions,
): Promise<ReplayReport> {
  return new Replay(processor as Processor<Topic, unknown> as Processor, options).run()
}

/** Removes what a replay has built beside the live generations. @throws MillraceError `replay.held` */
export async function dropReplay(
  processor: Pick<Processor, 'name' | 'topic'>,
  store: GenerationStore,
): Promise<void> {
  const { topic, name: group } = processor
  const generation = await generationToBuild(processor, store)
  for (let partition = 0; partition < topic.partitions; partition++)
    // Under a former number nothing is left but what a replay has begun that came too late.
    for (let number = 1; number <= generation; number++)
      if ((await store.dropGeneration({ topic, partition, group, generation: number })) === 'held')
        throw new MillraceError('replay.held')
}

/** The generation that a replay builds: partitions that a killed one has switched already have its number. */
async function generationToBuild(
  { topic, name: group }: Pick<Processor, 'name' | 'topic'>,
  store: GenerationStore,
): Promise<number> {
  const live = await Promise.all(
    Array.from({ length: topic.partitions }, async (_, partition) => store.look({ topic, partition, group })),
  )
  const numbers = live.map(({ generation }) => generation)
  const highest = Math.max(...numbers)
  return numbers.every((number) => number === highest) ? highest + 1 : highest
}

class Replay {
  readonly #options: ReplayOptions
  readonly #settings: ReplaySettings
  readonly #positions = new Map<number, number>()
  readonly #totals = new Map<number, number>()
  readonly #own: OwnDecision[] = []
  #folded = 0
  #resumed = 0

  constructor(processor: Processor, options: ReplayOptions) {
    const { log, store, clock = systemClock, timers = systemTimers } = options
    this.#options = options
    this.#settings = {
      ...replayBounds,
      ...boundsIn(options),
      ...{ processor, log, store, clock, timers },
      emits: options.compareEmits === false ? undefined : new EmitComparison(log),
      member: `${options.member ?? 'replay'}-${freshId()}`,
      elapsedMs: options.elapsedMs ?? systemElapsedMs,
      signal: options.signal,
      folded: (partition, position, events) => this.#note(partition, position, events),
      counts: { effects: 0, emits: 0 },
    }
  }

  async run(): Promise<ReplayReport> {
    const { processor, store, counts, emits } = this.#settings
    const { finish = 'keep', mostDifferences = 20 } = this.#options
    const generation = await generationToBuild(processor, store)
    const all = Array.from({ length: processor.topic.partitions }, (_, partition) => partition)
    await this.#each(all, (partition) => this.#build(partition, generation))
    const differences =
      finish === 'compare' ? await compareGenerations(this.#settings, generation, mostDifferences) : undefined
    return {
      generation,
      folded: this.#folded,
      resumed: this.#resumed,
      withheld: { ...counts },
      emits: emits?.counts,
      own: this.#own.slice(0, mostOwn),
      switched: finish === 'switch',
      differences,
    }
  }

  async #build(number: number, generation: number): Promise<void> {
    const partition = new ReplayPartition(this.#settings, number, generation)
    const live = await partition.look()
    if (live.generation >= generation) return
    await partition.dropFormer(live)
    await partition.open(live)
    // Another replay may have switched while this one waited for the lease: there is nothing to go on with then.
    if ((await partition.look()).generation >= generation) {
      await partition.abandon()
      return
    }
    this.#resumed += partition.lease.position.seq - live.start.seq
    this.#positions.set(number, partition.lease.position.seq)
    try {
      const caughtUp = await this.#catchUp(partition)
      if (this.#options.finish !== 'switch') {
        if (caughtUp) await fireDue(this.#settings, partition)
        this.#own.push(...(await settleMeanwhile(this.#settings, partition)))
        return
      }
      await switchPartition(this.#settings, partition, (own) => {
        this.#own.push(...own)
        return own.length > 0 && this.#options.force !== true
      })
    } finally {
      await partition.close()
    }
  }

  /** Folds up to where the live generation stands; answers whether it stood still there. */
  async #catchUp(partition: ReplayPartition): Promise<boolean> {
    const { near } = this.#settings
    for (;;) {
      const { position } = await partition.look()
      this.#totals.set(partition.live.partition, position.seq)
      const behind = position.seq - partition.lease.position.seq
      await partition.upTo({ position, ahead: [] })
      const now = await partition.look()
      if (now.position.seq === position.seq && now.ahead.length === 0) return true
      if (behind <= near) return false
    }
  }

  #note(partition: number, position: number, events: number): void {
    this.#folded += events
    this.#positions.set(partition, position)
    const sum = (of: ReadonlyMap<number, number>) => [...of.values()].reduce((all, one) => all + one, 0)
    this.#options.onProgress?.({ folded: sum(this.#positions), total: sum(this.#totals) })
  }

  async #each(partitions: readonly number[], act: (partition: number) => Promise<void>): Promise<void> {
    const work = partitions.values()
    let failed = false
    const worker = async () => {
      for (const partition of work)
        try {
          if (!failed) await act(partition)
        } catch (error) {
          failed = true
          throw error
        }
    }
    // After a failure the others end the partition that they are at.
    const workers = Array.from({ length: this.#settings.partitions }, worker)
    await Promise.allSettled(workers)
    await Promise.all(workers)
  }
}

function boundsIn(options: Partial<ReplayBounds>): Partial<ReplayBounds> {
  const given = Object.keys(replayBounds).filter((name) => Object.hasOwn(options, name))
  return Object.fromEntries(given.map((name) => [name, options[name as keyof ReplayBounds]]))
}
