import { MillraceError } from '@millrace/event'
import type { DeferredList } from '../deferred-event.ts'
import type { GroupPartition, GroupState, Reached } from '../group-store.ts'
import type { TimerSetting } from '../key-timer.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { StateWrite } from '../stored-state.ts'
import { BuildingLease } from './building.ts'
import { hurried } from './hurried-timers.ts'
import { changeOf } from './key-change.ts'
import { KeyCache, type ReplayedKey } from './key-cache.ts'
import type { FoldSettings } from './key-fold.ts'
import { notFolded } from './not-folded.ts'
import { type PageEnd, type ReplayItem, type ReplayPage, readPage } from './replay-page.ts'
import type { ReplaySettings } from './replay-settings.ts'

/** How far a replay is to go: as far as the live generation is. */
export interface ReplayTarget {
  readonly position: Reached
  /** What is settled beyond the position. */
  readonly ahead: readonly number[]
}

/** The replay of one partition: pages of the log are folded key by key, each with one commit of the generation. */
export class ReplayPartition {
  readonly lease: BuildingLease
  /** The live generation. */
  readonly live: GroupPartition
  readonly fold: FoldSettings
  /** The same, and what is brought about is counted and compared. */
  readonly counted: FoldSettings
  readonly #settings: ReplaySettings
  readonly #cache: KeyCache
  #page: number

  constructor(settings: ReplaySettings, partition: number, generation: number) {
    const { processor, store, clock, timers, attempts, counts } = settings
    this.#settings = settings
    this.live = { topic: processor.topic, partition, group: processor.name }
    const at = { ...this.live, generation }
    this.lease = new BuildingLease(store, at, settings)
    const settled = ({ emits, effects }: Delivery) => {
      counts.effects += effects?.length ?? 0
      counts.emits += emits?.length ?? 0
      if (emits !== undefined) settings.emits?.add(emits)
    }
    this.fold = { processor, clock, timers: hurried(timers), attempts }
    this.counted = { ...this.fold, settled }
    this.#cache = new KeyCache(this.counted, { store, at, live: this.live }, settings.keys)
    this.#page = settings.page
  }

  /** Where the live generation stands. */
  look(): Promise<GroupState> {
    return this.#settings.store.look(this.live)
  }

  /**
   * Takes the lease of the generation. A replay that was killed keeps it for its length.
   *
   * @throws MillraceError `replay.held`
   */
  async open({ start }: GroupState): Promise<void> {
    const { leaseMs, elapsedMs, timers } = this.#settings
    const untilMs = elapsedMs() + leaseMs + 1_000
    while (!(await this.lease.acquire(start))) {
      this.#settings.signal?.throwIfAborted()
      if (elapsedMs() > untilMs) throw new MillraceError('replay.held')
      await new Promise<void>((resolve) => timers.set(100, resolve))
    }
  }

  /** What a replay has begun under the number of the live generation, and was killed before it saw that, is nobody's. */
  async dropFormer({ generation }: GroupState): Promise<void> {
    if (generation > 0) await this.#settings.store.dropGeneration({ ...this.live, generation })
  }

  /** Leaves nothing of what it has built. */
  async abandon(): Promise<void> {
    await this.close()
    await this.#settings.store.dropGeneration(this.lease.at)
  }

  /** Folds everything up to a place of the live generation. */
  async upTo({ position, ahead }: ReplayTarget): Promise<void> {
    let reading: Promise<ReplayPage> | undefined
    while (this.lease.position.seq < position.seq) {
      const page = await (reading ?? this.#read({ seq: position.seq }, this.lease.position))
      // The next page is read while this one is folded.
      reading = page.last.seq < position.seq ? this.#read({ seq: position.seq }, page.last) : undefined
      // Whoever asks for it hears of its failure; nobody may.
      reading?.catch(() => undefined)
      const beyond = this.lease.ahead.filter((seq) => seq > page.last.seq)
      if (!(await this.#take(page, page.last, beyond))) reading = undefined
    }
    const only = new Set(ahead)
    const lastSeq = ahead.at(-1) ?? 0
    for (let from = position; from.seq < lastSeq;) {
      const page = await this.#read({ seq: lastSeq, only }, from)
      const done = new Set([...this.lease.ahead, ...ahead.filter((seq) => seq <= page.last.seq)])
      const sorted = [...done].toSorted((a, b) => a - b)
      if (await this.#take(page, position, sorted)) from = page.last
    }
  }

  /** What was changed in the store beside it is loaded again. */
  forget(key: string): void {
    this.#cache.forget(key)
  }

  async close(): Promise<void> {
    this.#cache.clear()
    await this.lease.release()
  }

  async #read(to: PageEnd, from: Reached): Promise<ReplayPage> {
    const { processor, log, store, clock, signal } = this.#settings
    signal?.throwIfAborted()
    const source = { processor, log, store, at: this.live, nowMs: clock.now() }
    const known = new Set(this.lease.ahead)
    const page = await readPage(source, from, { ...to, known }, this.#page)
    if (page === undefined)
      throw new MillraceError(
        'log.gap',
        `${this.live.topic.name}/${this.live.partition} ends before ${to.seq}`,
      )
    return page
  }

  /** Folds a page and commits it. False: it was too much for one commit, and is to be read again, smaller. */
  async #take(page: ReplayPage, position: Reached, ahead: readonly number[]): Promise<boolean> {
    const keys = [...new Set([...page.items.keys(), ...page.out.keys()])]
    await this.lease.keep()
    try {
      await this.#cache.load(keys)
      await this.#foldAll(page.items)
      await this.#settings.emits?.settle()
      await this.#commit(keys, page, position, ahead)
    } catch (error) {
      this.#cache.clear()
      const tooLarge = error instanceof MillraceError && error.code === 'commit.too-large'
      if (!tooLarge || this.#page <= 1) throw error
      this.#page = Math.ceil(this.#page / 4)
      return false
    }
    this.#cache.trim()
    this.#settings.folded(this.live.partition, position.seq, page.events)
    return true
  }

  async #foldAll(items: ReplayPage['items']): Promise<void> {
    const work = items.entries()
    const worker = async () => {
      for (const [key, ofKey] of work) await this.#foldKey(this.#cache.of(key), ofKey)
    }
    await Promise.all(Array.from({ length: this.#settings.atOnce }, worker))
  }

  async #foldKey({ fold }: ReplayedKey, items: readonly ReplayItem[]): Promise<void> {
    for (const item of items) {
      if ('timer' in item) {
        fold.fire(item.timer)
        continue
      }
      const taking = fold.take(item.recorded)
      if (taking !== undefined) await taking
    }
    if (!fold.idle) await fold.settled()
  }

  async #commit(
    keys: readonly string[],
    page: ReplayPage,
    position: Reached,
    ahead: readonly number[],
  ): Promise<void> {
    const states: StateWrite[] = []
    const defers: DeferredList[] = []
    const timers: TimerSetting[] = []
    const after = keys.map((key) => {
      const one = this.#cache.of(key)
      const seq = Math.max(one.seq, lastSeq(page, key))
      const { record } = one.fold
      const change = changeOf(this.fold.processor, key, seq, one.committed, record)
      if (change.state) states.push(change.state)
      timers.push(...change.timers)
      const out = notFolded(one.out, page.out.get(key) ?? [], one.fold)
      if (out !== one.out) defers.push({ key, events: out })
      return { one, seq, record, out }
    })
    await this.lease.commit({ states, defers, timers }, position, ahead)
    for (const { one, seq, record, out } of after) Object.assign(one, { seq, committed: record, out })
  }
}

function lastSeq(page: ReplayPage, key: string): number {
  let last = 0
  for (const item of page.items.get(key) ?? [])
    if ('recorded' in item) last = Math.max(last, item.recorded.position.seq)
  return last
}
