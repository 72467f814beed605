import { MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { systemTimers, type Timers } from '../lane/timers.ts'
import type { Processor } from '../model/processor.ts'
import type { GenerationStore } from '../replay/generations.ts'
import { compareKey, type CompareSettings, type ShadowDifference } from './compare-key.ts'
import { tellShadow } from './shadow-news.ts'

/** How the states of a group are compared with another system. */
export interface CompareOptions {
  readonly log: Pick<EventLog, 'readKey'>
  readonly store: GenerationStore
  /** Undefined: all that the group has a record of. */
  readonly keys?: readonly string[]
  /** Keys that are compared at once. Default 8. */
  readonly atOnce?: number
  /** What differs is looked at again after so many ms. Default 1,000. */
  readonly settleMs?: number
  /** How many of a key's last events are told. Default 10. */
  readonly events?: number
  /** Most differences in the report; all are counted. Default 1,000. */
  readonly most?: number
  /** Most time of one answer of the other system in ms. Default 10,000. */
  readonly timeoutMs?: number
  readonly onProgress?: (compared: number) => void
  readonly signal?: AbortSignal
  readonly timers?: Timers
}

/** What a comparison came to. */
export interface ShadowReport {
  readonly same: number
  readonly different: number
  /** Keys that have changed while they were compared: nothing can be said of them. */
  readonly moved: number
  /** Keys that the group has nothing of yet. */
  readonly untouched: number
  /** Keys that the other system gave no answer for. */
  readonly unanswered: number
  /** How many keys differ in each field. */
  readonly fields: ReadonlyMap<string, number>
  /** By key; the first of them. */
  readonly differences: readonly ShadowDifference[]
}

const never = new AbortController().signal

/**
 * Compares what a group has folded with what the other system has, field by field, as the processor's `compare` says.
 * A comparison of all keys is told to meters.
 *
 * @throws MillraceError `touch.refused`; those of reading
 */
export async function compareShadow<T extends Topic, S>(
  processor: Processor<T, S>,
  options: CompareOptions,
): Promise<ShadowReport> {
  const plain = processor as Processor<Topic, unknown> as Processor
  return new ShadowComparison(plain, options).run()
}

class ShadowComparison {
  readonly #settings: CompareSettings
  readonly #options: CompareOptions
  readonly #counts = { same: 0, different: 0, moved: 0, untouched: 0, unanswered: 0 }
  readonly #fields = new Map<string, number>()
  readonly #differences: ShadowDifference[] = []
  #compared = 0

  constructor(processor: Processor, options: CompareOptions) {
    const { compare: comparison, state } = processor
    const load = comparison?.load ?? state?.firstTouch?.load
    if (comparison === undefined || load === undefined)
      throw new TypeError(`Processor ${processor.name} does not say what is compared with what`)
    const { log, store, settleMs = 1_000, events = 10, timeoutMs = 10_000 } = options
    const { signal = never, timers = systemTimers } = options
    this.#options = options
    this.#settings = {
      ...{ processor, comparison, load, timeoutMs, log, store, timers, signal, settleMs, events },
    }
  }

  async run(): Promise<ShadowReport> {
    const { topic, name: group } = this.#settings.processor
    const { keys } = this.#options
    for (let partition = 0; partition < topic.partitions; partition++) {
      const pages =
        keys === undefined
          ? this.#pages(partition)
          : [keys.filter((key) => partitionOfKey(topic, key) === partition)]
      for await (const page of pages) await this.#compareAll(partition, page)
    }
    const fields = new Map([...this.#fields].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    if (keys === undefined) tellShadow({ topic: topic.name, group, fields })
    const differences = this.#differences.toSorted((a, b) => (a.key < b.key ? -1 : 1))
    return { ...this.#counts, fields, differences }
  }

  async *#pages(partition: number): AsyncGenerator<readonly string[]> {
    const { processor, signal } = this.#settings
    const at = { topic: processor.topic, partition, group: processor.name }
    for (let after: string | undefined; ;) {
      signal.throwIfAborted()
      const page = await this.#options.store.statesPage(at, after === undefined ? {} : { after })
      yield [...new Set(page.items.map(({ key }) => key))]
      if (page.next === undefined) return
      after = page.next
    }
  }

  async #compareAll(partition: number, keys: readonly string[]): Promise<void> {
    const { processor, signal } = this.#settings
    const at = { topic: processor.topic, partition, group: processor.name }
    const work = keys.values()
    const worker = async () => {
      for (const key of work) {
        signal.throwIfAborted()
        await this.#compareOne(at, key)
        this.#options.onProgress?.((this.#compared += 1))
      }
    }
    await Promise.all(Array.from({ length: this.#options.atOnce ?? 8 }, worker))
  }

  async #compareOne(at: Parameters<typeof compareKey>[1], key: string): Promise<void> {
    try {
      const result = await compareKey(this.#settings, at, key)
      this.#counts[result.status] += 1
      if (result.status === 'same') for (const name of result.fields) this.#count(name, 0)
      if (result.status !== 'different') return
      for (const { field } of result.difference.fields) this.#count(field, 1)
      if (this.#differences.length < (this.#options.most ?? 1_000)) this.#differences.push(result.difference)
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'touch.unavailable')) throw error
      this.#counts.unanswered += 1
    }
  }

  #count(field: string, more: number): void {
    this.#fields.set(field, (this.#fields.get(field) ?? 0) + more)
  }
}
