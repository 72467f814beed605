import { MillraceError, type Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { backoffMs } from '@millrace/retry'
import type { ConsumerNews } from './consumer-event.ts'
import { ForwarderLine } from './forwarder-line.ts'
import type { GroupPartition } from './group-partition.ts'
import type { Timers } from './lane/timers.ts'
import { channelOf, type Outbox, type OutboxDraft, type OutboxEntry } from './outbox.ts'

/** What a forwarder works with; the settings of a running processor have all of it. */
export interface ForwarderSettings {
  readonly log: Pick<EventLog, 'appendChannel' | 'channel'>
  readonly store: Outbox
  /** Topics that are emitted to, by name. */
  readonly targets: ReadonlyMap<string, Topic>
  /** Names of topics that take channels; those that have taken one are added. */
  readonly taking?: Set<string>
  readonly timers: Timers
  /** From 0 up to 1. */
  readonly random: () => number
  readonly tell: (news: ConsumerNews) => void
  /** Most entries in memory; the others are read from the outbox in their turn. Default 500. */
  readonly mostInMemory?: number
}

/** What a forwarder tells the engine that it works for. */
export interface ForwarderOwner {
  /** There is room again. */
  moved(): void
  /** The target does not take what the outbox holds, for a reason that a repeat does not mend. */
  failed(error: unknown): void
}

interface CommittedOutbox {
  readonly n: number
  readonly drafts: readonly OutboxDraft[]
  readonly numbers: readonly number[]
}

const retry = { firstMs: 50, maxMs: 2_000 }
const pageSize = 50
/** Ids that are removed from the outbox at once, at most. */
const mostRemoved = 500

/**
 * Brings emitted events from the outbox of a partition to their topics: in order and one call at a time for each
 * target partition, which do not wait for one another. Right after a commit it takes them from memory; what earlier
 * owners have left, and what is too much for the memory, it reads from the outbox. It needs no token: what it does
 * twice the channel knows. See "Outbox entry" in docs/state-machines.md.
 */
export class Forwarder {
  readonly #settings: ForwarderSettings
  readonly #at: GroupPartition
  readonly #owner: ForwarderOwner
  readonly #lines = new Map<string, ForwarderLine>()
  readonly #most: number
  /** Id of the last entry that came into memory, in the order of their commits. */
  #readTo: string | undefined
  /** The outbox may hold entries behind that one which are not in memory. */
  #scan = true
  /** A commit came back since the last page was asked for, and is in no memory. */
  #missed = false
  /** Commits that came back while there was something to read: the last page may not have them. */
  #late: CommittedOutbox[] = []
  #reading = false
  /** Entries that are on their target and still in the outbox. */
  #done: string[] = []
  #removing = false
  #waiting = 0
  #ended = false
  readonly #cancels = new Set<() => void>()
  #idle: (() => void)[] = []

  constructor(settings: ForwarderSettings, at: GroupPartition, owner: ForwarderOwner) {
    this.#settings = settings
    this.#at = at
    this.#owner = owner
    this.#most = settings.mostInMemory ?? 500
  }

  /** Entries that wait, as far as is known here. */
  get waiting(): number {
    return this.#waiting + this.#done.length
  }

  /** Begins with what earlier owners have left. */
  start(): void {
    void this.#read()
  }

  /** A commit is in the store. Without numbers its entries have to be read from there. */
  add(n: number, drafts: readonly OutboxDraft[], numbers: readonly number[] | undefined): void {
    // The commit has appended everything itself.
    if (numbers?.every((number) => number === 0)) return
    let entries = this.#waiting + drafts.length
    for (const one of this.#late) entries += one.drafts.length
    if (numbers !== undefined && entries <= this.#most) {
      if (this.#scan) this.#late.push({ n, drafts, numbers })
      else this.#takeCommit({ n, drafts, numbers })
    } else {
      this.#missed = true
      this.#scan = true
      this.#late = []
    }
    if (this.#scan) void this.#read()
  }

  /** Resolves when nothing is left to forward, or it has ended. */
  idle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  end(): void {
    this.#ended = true
    for (const cancel of this.#cancels) cancel()
    for (const line of this.#lines.values()) line.end()
    this.#settled()
  }

  get #isIdle(): boolean {
    return this.#ended || (!this.#scan && !this.#reading && this.waiting === 0)
  }

  #settled(): void {
    if (!this.#isIdle) return
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }

  /** Reads on in the outbox while there is room, until it has nothing that is not known here. */
  async #read(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    for (let failures = 0; this.#scan && !this.#ended && this.#waiting <= this.#most / 2;) {
      try {
        this.#missed = false
        const after = this.#readTo === undefined ? {} : { after: this.#readTo }
        const { items, next } = await this.#settings.store.outbox(this.#at, { ...after, limit: pageSize })
        failures = 0
        for (const entry of items) this.#take(entry)
        if (next === undefined && !this.#missed) this.#readAll()
      } catch (error) {
        failures += 1
        if (!(await this.#passed(error, failures))) break
      }
    }
    this.#reading = false
    this.#settled()
  }

  #readAll(): void {
    this.#scan = false
    const late = this.#late
    this.#late = []
    for (const commit of late) this.#takeCommit(commit)
  }

  #takeCommit({ n, drafts, numbers }: CommittedOutbox): void {
    // A read may have met the commit before its answer came.
    if (n <= Number(this.#readTo?.split('-')[0] ?? 0)) return
    for (const [place, { topic, partition, events, text }] of drafts.entries()) {
      const first = numbers[place] ?? 0
      const id = `${n}-${place + 1}`
      if (first > 0) this.#take({ id, topic, partition, first, events, size: text.length })
    }
  }

  #take(entry: OutboxEntry): void {
    if (this.#ended) return
    const name = `${entry.topic}/${entry.partition}`
    let line = this.#lines.get(name)
    if (!line) this.#lines.set(name, (line = this.#newLine(entry)))
    this.#readTo = entry.id
    this.#waiting += 1
    line.push(entry)
  }

  #newLine({ topic: name, partition }: OutboxEntry): ForwarderLine {
    const { log, targets } = this.#settings
    return new ForwarderLine(
      log,
      { topic: () => targets.get(name), name, partition, channel: channelOf(this.#at) },
      {
        forwarded: (entries) => this.#forwarded(entries),
        passed: (error, failures) => this.#passed(error, failures),
      },
    )
  }

  #forwarded(entries: readonly OutboxEntry[]): void {
    this.#waiting -= entries.length
    for (const { id, topic } of entries) {
      this.#done.push(id)
      this.#settings.taking?.add(topic)
    }
    void this.#remove()
    if (this.#scan) void this.#read()
  }

  async #remove(): Promise<void> {
    if (this.#removing || this.#ended) return
    this.#removing = true
    for (let failures = 0; this.#done.length > 0 && !this.#ended;) {
      const ids = this.#done.slice(0, mostRemoved)
      try {
        await this.#settings.store.forwarded(this.#at, ids)
        failures = 0
        this.#done = this.#done.slice(ids.length)
        this.#owner.moved()
      } catch (error) {
        failures += 1
        if (!(await this.#passed(error, failures))) break
      }
    }
    this.#removing = false
    this.#settled()
  }

  /** Waits after a failure that may pass; answers whether to try again. */
  async #passed(error: unknown, failures: number): Promise<boolean> {
    if (this.#ended) return false
    if (!(error instanceof MillraceError && error.retryable)) {
      this.#owner.failed(error)
      return false
    }
    const { timers, random, tell } = this.#settings
    tell({ kind: 'trouble', partition: this.#at.partition, error })
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel()
        this.#cancels.delete(done)
        resolve()
      }
      const cancel = timers.set(backoffMs(retry, failures, random()), done)
      this.#cancels.add(done)
    })
    return !this.#ended
  }
}
