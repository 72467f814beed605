import { freshId, MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import type { GroupPartition, Lease } from '../group-store.ts'
import type { OperatorMemory } from '../model/key-record.ts'
import type { GenerationStore, StateOfKey } from '../replay/generations.ts'
import { isDropped } from './dropped-mark.ts'
import type { Ordered, StateDropResult } from './shadow-store.ts'

/** What is to be dropped of a group. */
export interface DropOptions extends Ordered {
  readonly store: GenerationStore
  /** Undefined: all keys. */
  readonly keys?: readonly string[]
  /** What the keys were taken over with as well: the other system is asked again. Default false. */
  readonly history?: boolean
  /** Counts, and changes nothing. Default false. */
  readonly dryRun?: boolean
  /** Length of the lease that a partition is held by meanwhile, in ms. Default 10,000. */
  readonly leaseMs?: number
  readonly onProgress?: (dropped: number) => void
  /** Stops between two pages; the same call goes on there. */
  readonly signal?: AbortSignal
}

/** What was dropped, or would be. */
export interface DropReport {
  /** Records of keys. */
  readonly records: number
  /** Journal entries of their migrations. */
  readonly migrations: number
}

const pageKeys = 500
const unknownAttempts = 5

/**
 * Drops what a group has folded of some or all keys while it works: each key is folded anew with its next event, from
 * what it was taken over with, or from what the other system says by then. The partition is taken from its owner for
 * as long; parked lines, deferred events, letters and effects stay. See docs/shadow.md.
 *
 * @throws MillraceError `replay.held`: somebody else has taken the partition meanwhile
 */
export async function dropStates(
  processor: { readonly name: string; readonly topic: Topic },
  options: DropOptions,
): Promise<DropReport> {
  const { topic, name: group } = processor
  const { keys, onProgress } = options
  const report = { records: 0, migrations: 0 }
  let named = false
  for (let partition = 0; partition < topic.partitions; partition++) {
    const ofPartition = keys?.filter((key) => partitionOfKey(topic, key) === partition)
    if (ofPartition?.length === 0) continue
    const drop = new PartitionDrop({ topic, partition, group }, options, !named || keys === undefined)
    await drop.run(ofPartition, ({ records, migrations }) => {
      report.records += records
      report.migrations += migrations
      onProgress?.(report.records)
    })
    named = true
  }
  return report
}

/** The drop in one partition. */
class PartitionDrop {
  readonly #at: GroupPartition
  readonly #options: DropOptions
  #logged: boolean

  constructor(at: GroupPartition, options: DropOptions, logged: boolean) {
    this.#at = at
    this.#options = options
    this.#logged = logged
  }

  async run(keys: readonly string[] | undefined, dropped: (report: DropReport) => void): Promise<void> {
    const { store, dryRun, leaseMs = 10_000, signal } = this.#options
    if (dryRun) {
      for await (const page of this.#pages(keys)) dropped(await this.#count(page))
      return
    }
    const lease = await store.seize(this.#at, `drop-${freshId()}`, leaseMs)
    try {
      for await (const page of this.#pages(keys)) {
        signal?.throwIfAborted()
        dropped(await this.#drop(lease, page))
        await store.renew(this.#at, lease, leaseMs)
      }
    } finally {
      await store.release(this.#at, lease.token)
    }
  }

  async *#pages(keys: readonly string[] | undefined): AsyncGenerator<readonly StateOfKey[]> {
    const { store } = this.#options
    if (keys !== undefined) {
      for (let from = 0; from < keys.length; from += pageKeys) {
        const stored = await store.loadStates(this.#at, keys.slice(from, from + pageKeys))
        yield stored.flatMap(({ key, state }) => (state ? [{ key, state }] : []))
      }
      return
    }
    for (let after: string | undefined; ;) {
      const options = { limit: pageKeys, ...(after === undefined ? {} : { after }) }
      const page = await store.statesPage(this.#at, options)
      for (let from = 0; from < page.items.length; from += pageKeys)
        yield page.items.slice(from, from + pageKeys)
      if (page.next === undefined) return
      after = page.next
    }
  }

  async #count(page: readonly StateOfKey[]): Promise<DropReport> {
    const { store, history = false } = this.#options
    const migrated = history ? (await store.migrations(this.#at, page.map(keyOf))).size : 0
    return { records: page.filter(({ state }) => !isDropped(state)).length, migrations: migrated }
  }

  async #drop({ token }: Lease, page: readonly StateOfKey[]): Promise<DropReport> {
    const { store, history = false, by, reason, keys } = this.#options
    const drop = {
      ...{ keys: page.map(keyOf), history, by, reason, logged: this.#logged },
      named: keys?.length === 1 ? (keys[0] ?? '') : '',
      timers: page.flatMap(timersOf),
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#dropped(await store.dropStates(this.#at, token, drop))
      } catch (error) {
        // Sent again it does nothing to what is dropped.
        const unknown = error instanceof MillraceError && error.code === 'commit.unknown'
        if (!unknown || attempt >= unknownAttempts) throw error
      }
    }
  }

  #dropped(result: StateDropResult): DropReport {
    if (result.status === 'fenced')
      throw new MillraceError('replay.held', `Partition ${this.#at.partition} was taken over meanwhile`)
    this.#logged = false
    return result
  }
}

function keyOf({ key }: StateOfKey): string {
  return key
}

function timersOf({ key, state }: StateOfKey): readonly { readonly key: string; readonly name: string }[] {
  if (state.ops === '' || isDropped(state)) return []
  const ops = JSON.parse(state.ops) as Readonly<Record<string, OperatorMemory>>
  return Object.entries(ops).flatMap(([name, { timer }]) => (timer ? [{ key, name }] : []))
}
