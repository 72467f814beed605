import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { GroupPartition } from '../group-store.ts'
import { Delivery } from '../lane/delivery.ts'
import type { RequeuedEvent, Ruling } from '../ruling.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import { readOne } from './line-reader.ts'
import { factsOfLost, isLost, standIn } from './lost-event.ts'
import { ruledArrival } from './ruled.ts'

/** Late letters that are in hand at once, and read at once. */
const mostInHand = 100
/** Pages that one look reads: letters of parked keys wait, and may stand before others. */
const mostPages = 20

/** What a late runner tells the engine that it works for. */
export interface LateOwner {
  /** A slot was made: its key is to be loaded. */
  load(): void
  /** Something can go on that could not before. */
  changed(): void
  failed(error: unknown): void
  /** Acts after a pause, unless the engine has ended by then. */
  after(delayMs: number, act: () => void): void
}

/**
 * Hands dead letters that an operator has put back to the lanes of their keys: late, behind whatever their keys have in
 * hand, and never while the key is parked. One that fails is tried again, as any other event, and is a dead letter again
 * when its attempts are spent; it holds nobody up.
 */
export class LateRunner {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #lanes: KeyLanes
  readonly #owner: LateOwner
  /** Slots of those that were handed over and are in no commit that has come back, by seq. */
  readonly #inHand = new Map<number, KeySlot>()
  /** Those whose commits came back while the list was read. */
  readonly #settled = new Set<number>()
  /** Slots that are loaded for a letter. */
  readonly #loading = new Set<KeySlot>()
  /** Keys that are parked, with letters before them, as far as the last look has seen. */
  readonly #behind = new Set<string>()
  #asking = false
  #again = false
  #more = false
  #ended = false

  constructor(settings: EngineSettings, at: GroupPartition, lanes: KeyLanes, owner: LateOwner) {
    this.#settings = settings
    this.#at = at
    this.#lanes = lanes
    this.#owner = owner
    lanes.lateRetries.onDropped = (seq) => this.#inHand.delete(seq)
    lanes.lateRetries.onPutOff = (seq, delayMs) => {
      this.#inHand.delete(seq)
      owner.after(delayMs, () => this.look())
      owner.changed()
    }
  }

  /** There may be letters that it has not seen, or keys that are parked no more. */
  look(): void {
    this.#again = true
    if (!this.#asking && !this.#ended) void this.#ask()
  }

  /** What the store has of a key is known. */
  known(slot: KeySlot): void {
    if (this.#loading.delete(slot)) this.look()
  }

  /** A commit is true that has opened a key which was parked. */
  opened(key: string): void {
    if (this.#behind.delete(key)) this.look()
  }

  /** A commit is true that settles these. */
  settled(late: readonly number[]): void {
    for (const seq of late) {
      this.#inHand.delete(seq)
      this.#lanes.lateRetries.settled(seq)
      if (this.#asking) this.#settled.add(seq)
    }
    if (this.#more && late.length > 0) this.look()
  }

  end(): void {
    this.#ended = true
    this.#inHand.clear()
    this.#loading.clear()
    this.#behind.clear()
  }

  async #ask(): Promise<void> {
    this.#asking = true
    try {
      while (this.#again && !this.#ended) {
        this.#again = false
        await this.#readList()
        this.#settled.clear()
      }
    } catch (error) {
      if (error instanceof MillraceError && error.retryable)
        this.#settings.tell({ kind: 'trouble', partition: this.#at.partition, error })
      else this.#owner.failed(error)
    } finally {
      this.#asking = false
    }
  }

  async #readList(): Promise<void> {
    const { store } = this.#settings
    this.#more = false
    this.#behind.clear()
    let after: string | undefined
    for (let page = 0; page < mostPages && !this.#ended; page += 1) {
      const options = { limit: mostInHand, ...(after === undefined ? {} : { after }) }
      const { items, next } = await store.requeued(this.#at, options)
      await this.#take(items.filter((item) => this.#mayRun(item)))
      after = next
      if (after === undefined) return
      if (this.#inHand.size >= mostInHand) break
    }
    this.#more = true
  }

  /** Not yet: its key is parked, or not known. */
  #mayRun({ seq, key }: RequeuedEvent): boolean {
    if (this.#inHand.has(seq) || this.#settled.has(seq)) return false
    const retry = this.#lanes.lateRetries.of(seq)
    if (retry !== undefined && retry.notBeforeMs > this.#settings.elapsedMs()) return false
    const slot = this.#lanes.slotOf(key)
    if (slot.phase === 'loading') {
      this.#loading.add(slot)
      this.#owner.load()
      return false
    }
    if (slot.parked !== undefined) this.#behind.add(key)
    return slot.parked === undefined
  }

  async #take(items: readonly RequeuedEvent[]): Promise<void> {
    if (items.length === 0) return
    const { log, processor, store } = this.#settings
    const { topic } = processor
    const [rulings, events] = await Promise.all([
      store.rulings(
        this.#at,
        items.map(({ seq }) => seq),
      ),
      Promise.all(items.map(({ key, seq }) => readOne({ log, topic, key }, seq).catch(unlessLost))),
    ])
    for (const [at, item] of items.entries()) {
      const found = events[at]
      if (this.#ended || found === undefined) continue
      if (this.#inHand.size >= mostInHand) this.#more = true
      else if (this.#mayRun(item)) this.#handOver(item, found, rulings.get(item.seq))
    }
  }

  #handOver(item: RequeuedEvent, found: Recorded | MillraceError, ruling: Ruling | undefined): void {
    const { seq, key } = item
    const slot = this.#lanes.slotOf(key)
    const delivery =
      found instanceof MillraceError ? this.#without(item, found) : this.#arrived(found, ruling)
    delivery.origin = 'late'
    delivery.ruling = ruling
    delivery.attempt = (this.#lanes.lateRetries.of(seq)?.attempts ?? 0) + 1
    this.#inHand.set(seq, slot)
    slot.waiting.push(delivery)
    if (slot.phase === 'open') this.#lanes.wake(slot)
    this.#owner.changed()
  }

  #arrived(recorded: Recorded, ruling: Ruling | undefined): Delivery {
    const { processor } = this.#settings
    const delivery = ruledArrival(processor, recorded, ruling, this.#lanes.fates)
    // The types that the group handles may have changed since it died.
    if (processor.types !== undefined && !processor.types.has(recorded.event.type))
      this.#lanes.fates.set(delivery, { outcome: 'done' })
    return delivery
  }

  /** The log cannot give it any more: it dies again, and says so. */
  #without({ id, seq, key }: RequeuedEvent, error: MillraceError): Delivery {
    const delivery = Delivery.ofEvent(standIn(this.#at, key, factsOfLost({ id, seq })))
    this.#lanes.fates.set(delivery, { outcome: 'dead', error, spent: false })
    return delivery
  }
}

function unlessLost(error: unknown): MillraceError {
  if (isLost(error)) return error
  throw error
}
