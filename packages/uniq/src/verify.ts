import { partitionOfKey, type Topic } from '@millrace/event'
import { beginning, type ClaimStore, type EventLog, type Page, seqOf } from '@millrace/log'
import { HoldingFold, type Undigested } from './claims-of-log.ts'
import type { Constraints } from './constraints.ts'
import type { Keyring } from './keyring.ts'

/** Options of {@link verifyClaims}. */
export interface VerifyOptions {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'tips'>
  readonly claims: ClaimStore
  readonly topic: Topic
  readonly constraints: Constraints
  readonly keyring: Keyring
  readonly onProgress?: (progress: { readonly read: number; readonly total: number }) => void
}

/** One way in which claims and log disagree. */
export interface ClaimDifference {
  /**
   * `entry`: what the key holds is not what its events say. `lost`: a digest that the key holds does not lead to
   * it. `stray`: a digest leads to a key that does not hold it.
   */
  readonly kind: 'entry' | 'lost' | 'stray'
  readonly constraint: string
  readonly key: string
  /** Digests, never values. */
  readonly expected: readonly string[]
  readonly found: readonly string[]
}

/** What a verification found. */
export interface VerifyReport {
  readonly events: number
  readonly entries: number
  readonly differences: readonly ClaimDifference[]
  readonly undigested: readonly Undigested[]
}

const pageEvents = 1_000

/**
 * Compares claims with the log, partition by partition, on a live system: what looks different is looked at again
 * until the key's history stood still around the look, so that only real differences are listed.
 */
export async function verifyClaims(options: VerifyOptions): Promise<VerifyReport> {
  const run = new Verification(options)
  return run.run()
}

class Verification {
  readonly #options: VerifyOptions
  readonly #differences: ClaimDifference[] = []
  readonly #undigested: Undigested[] = []
  #events = 0
  #entries = 0

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  async run(): Promise<VerifyReport> {
    const { topic } = this.#options
    const tips = await this.#options.log.tips(topic)
    const total = tips.reduce((sum, tip) => sum + tip.seq, 0)
    // One partition at a time, so that memory holds the keys of one partition and not of all.
    for (const tip of tips) await this.#partition(tip.partition, tip.seq, total)
    await this.#strays()
    return {
      events: this.#events,
      entries: this.#entries,
      differences: this.#differences,
      undigested: this.#undigested,
    }
  }

  async #partition(partition: number, tipSeq: number, total: number): Promise<void> {
    const { log, topic, onProgress } = this.#options
    const fold = this.#fold()
    let cursor = beginning
    while (seqOf(cursor) < tipSeq) {
      const events = (await log.read(topic, new Map([[partition, cursor]]), { limit: pageEvents })).get(
        partition,
      )
      if (!events) break
      for (const recorded of events) fold.add(recorded)
      cursor = events.at(-1)?.position.id ?? cursor
      this.#events += events.length
      onProgress?.({ read: this.#events, total: Math.max(total, this.#events) })
    }
    this.#undigested.push(...fold.undigested)
    const slots = new Map(
      [...fold.holdings.values()].map(({ constraint, key }) => [`${constraint}:${key}`, { constraint, key }]),
    )
    await this.#pages(
      (from) => this.#options.claims.entries(topic, from),
      ({ constraint, key }) => {
        if (partitionOfKey(topic, key) === partition) slots.set(`${constraint}:${key}`, { constraint, key })
      },
    )
    for (const [slot, { constraint, key }] of slots)
      await this.#slot(constraint, key, fold.holdings.get(slot)?.digests)
  }

  /** Compares one entry with what the log said; asks the log again where they differ. */
  async #slot(constraint: string, key: string, digests: readonly string[] | undefined): Promise<void> {
    this.#entries += 1
    if (await this.#agrees(constraint, key, digests)) return
    const { log, topic } = this.#options
    for (let attempt = 0; attempt < 5; attempt++) {
      const fold = this.#fold()
      const before = await this.#foldKey(fold, key)
      const expected = fold.holdings.get(`${constraint}:${key}`)?.digests
      const difference = await this.#difference(constraint, key, expected)
      if (!difference) return
      if ((await log.readKey(topic, key, { afterVersion: before, limit: 1 })).version === before) {
        this.#differences.push(difference)
        return
      }
    }
    // A key that changes five times while it is looked at is alive; the next run looks again.
  }

  async #agrees(constraint: string, key: string, digests: readonly string[] | undefined): Promise<boolean> {
    return (await this.#difference(constraint, key, digests)) === undefined
  }

  async #difference(
    constraint: string,
    key: string,
    digests: readonly string[] | undefined,
  ): Promise<ClaimDifference | undefined> {
    const { claims, topic } = this.#options
    const entry = await claims.entryOf(topic, constraint, key)
    const expected = digests && this.#live(digests, await claims.liveVersions(topic))
    const found = entry?.digests
    if (expected?.join(' ') !== found?.toSorted().join(' '))
      return { kind: 'entry', constraint, key, expected: expected ?? [], found: found ?? [] }
    for (const digest of found ?? []) {
      const owner = await this.#ownerOf(constraint, digest)
      if (owner !== key)
        return {
          kind: 'lost',
          constraint,
          key,
          expected: [digest],
          found: owner === undefined ? [] : [`of ${owner}`],
        }
    }
    return undefined
  }

  /** Digests that lead to a key which does not hold them. */
  async #strays(): Promise<void> {
    const { claims, topic } = this.#options
    const suspects: { constraint: string; digest: string; key: string }[] = []
    await this.#pages(
      (from) => claims.digests(topic, from),
      (claimed) => suspects.push(claimed),
      async () => {
        for (const { constraint, digest, key } of suspects.splice(0)) {
          const stray = async () => {
            const entry = await claims.entryOf(topic, constraint, key)
            return !entry?.digests.includes(digest) && (await this.#ownerOf(constraint, digest)) === key
          }
          // Twice, because claim and entry are looked at one after the other while both may change.
          if ((await stray()) && (await stray()))
            this.#differences.push({ kind: 'stray', constraint, key, expected: [], found: [digest] })
        }
      },
    )
  }

  #ownerOf(constraint: string, digest: string): Promise<string | undefined> {
    const colon = digest.indexOf(':')
    return this.#options.claims.ownerOf(this.#options.topic, constraint, {
      [digest.slice(0, colon)]: digest.slice(colon + 1),
    })
  }

  #live(digests: readonly string[], live: readonly string[]): readonly string[] {
    return digests.filter((digest) => live.includes(digest.slice(0, digest.indexOf(':')))).toSorted()
  }

  #fold(): HoldingFold {
    return new HoldingFold(this.#options.topic, this.#options.constraints, this.#options.keyring)
  }

  async #foldKey(fold: HoldingFold, key: string): Promise<number> {
    let version = 0
    for (;;) {
      const page = await this.#options.log.readKey(this.#options.topic, key, {
        afterVersion: version,
        limit: pageEvents,
      })
      for (const recorded of page.events) fold.add(recorded)
      version += page.events.length
      if (page.events.length === 0 || version >= page.version) return version
    }
  }

  async #pages<T>(
    read: (from: string | undefined) => Promise<Page<T>>,
    each: (item: T) => void,
    after?: () => Promise<void>,
  ): Promise<void> {
    let from: string | undefined
    do {
      const page = await read(from)
      for (const item of page.items) each(item)
      await after?.()
      from = page.next
    } while (from !== undefined)
  }
}
