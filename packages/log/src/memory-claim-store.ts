import type { Clock, Topic } from '@millrace/event'
import type {
  ClaimedDigest,
  ClaimEntry,
  ClaimRebuild,
  ClaimStore,
  Contested,
  Page,
  RebuildStep,
  SwapResult,
} from './claim-store.ts'
import { MemoryClaims } from './memory-claims.ts'
import { beginning, seqOf } from './position.ts'

interface Rebuild {
  readonly versions: readonly string[]
  readonly read: Map<number, string>
  /** All keys that hold a digest: more than one is a contest. */
  readonly holders: Map<string, readonly string[]>
  readonly held: Map<string, string>
}

/** The claims of a log in memory, as an operator sees them. */
export class MemoryClaimStore implements ClaimStore {
  readonly #clock: Clock
  readonly #claims = new Map<string, MemoryClaims>()
  readonly #rebuilds = new Map<string, Rebuild>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The live claims of a topic, for the append. */
  of(topic: Topic): MemoryClaims {
    let found = this.#claims.get(topic.name)
    if (!found) this.#claims.set(topic.name, (found = new MemoryClaims()))
    return found
  }

  async ownerOf(
    topic: Topic,
    constraint: string,
    digests: Readonly<Record<string, string>>,
  ): Promise<string | undefined> {
    const { owners } = this.of(topic)
    for (const [version, digest] of Object.entries(digests)) {
      const owner = owners.get(`${constraint}:${version}:${digest}`)
      if (owner !== undefined) return owner
    }
    return undefined
  }

  async liveVersions(topic: Topic): Promise<readonly string[]> {
    return this.of(topic).live
  }

  async entryOf(topic: Topic, constraint: string, key: string): Promise<ClaimEntry | undefined> {
    const text = this.of(topic).held.get(`${constraint}:${key}`)
    return text === undefined ? undefined : { constraint, key, digests: split(text) }
  }

  async entries(topic: Topic): Promise<Page<ClaimEntry>> {
    const items = [...this.of(topic).held].map(([slot, text]) => ({ ...named(slot), digests: split(text) }))
    return {
      items: items.map(({ constraint, rest, digests }) => ({ constraint, key: rest, digests })),
      next: undefined,
    }
  }

  async digests(topic: Topic): Promise<Page<ClaimedDigest>> {
    const items = [...this.of(topic).owners].map(([name, key]) => ({
      constraint: named(name).constraint,
      digest: named(name).rest,
      key,
    }))
    return { items, next: undefined }
  }

  async beginRebuild(topic: Topic, versions: readonly string[]): Promise<ClaimRebuild> {
    const wanted = versions.toSorted()
    let rebuild = this.#rebuilds.get(topic.name)
    if (rebuild?.versions.join() !== wanted.join()) {
      const read = new Map(Array.from({ length: topic.partitions }, (_, partition) => [partition, beginning]))
      rebuild = { versions: wanted, read, holders: new Map(), held: new Map() }
      this.#rebuilds.set(topic.name, rebuild)
    }
    return { versions: wanted, read: new Map(rebuild.read) }
  }

  async stepRebuild(topic: Topic, step: RebuildStep): Promise<'added' | 'stale'> {
    const rebuild = this.#rebuilds.get(topic.name)
    if (rebuild?.read.get(step.partition) !== step.from) return 'stale'
    const { held, holders } = rebuild
    for (const { constraint, key, digests } of step.entries) {
      const slot = `${constraint}:${key}`
      for (const digest of split(held.get(slot) ?? '')) {
        const name = `${constraint}:${digest}`
        const left = (holders.get(name) ?? []).filter((holder) => holder !== key)
        if (left.length > 0) holders.set(name, left)
        else holders.delete(name)
      }
      for (const digest of digests ?? [])
        holders.set(`${constraint}:${digest}`, [...(holders.get(`${constraint}:${digest}`) ?? []), key])
      if (digests) held.set(slot, digests.join(' '))
      else held.delete(slot)
    }
    rebuild.read.set(step.partition, step.to)
    return 'added'
  }

  async swapRebuild(topic: Topic): Promise<SwapResult> {
    const rebuild = this.#rebuilds.get(topic.name)
    if (!rebuild) return { status: 'none' }
    const live = this.of(topic)
    for (const [partition, seq] of live.changed)
      if (seqOf(rebuild.read.get(partition) ?? beginning) < seq) return { status: 'behind' }
    const contested = [...rebuild.holders]
      .filter(([, keys]) => keys.length > 1)
      .map(([name, keys]): Contested => ({
        constraint: named(name).constraint,
        digest: named(name).rest,
        keys,
      }))
    if (contested.length > 0) return { status: 'contested', contested: contested.slice(0, 100) }
    live.replace(
      rebuild.versions,
      new Map([...rebuild.holders].map(([name, keys]) => [name, keys[0] ?? ''])),
      rebuild.held,
    )
    this.#rebuilds.delete(topic.name)
    return { status: 'swapped' }
  }

  async dropRebuild(topic: Topic): Promise<void> {
    this.#rebuilds.delete(topic.name)
  }

  async gate(topic: Topic, ms: number): Promise<void> {
    this.of(topic).gateUntil = ms > 0 ? this.#clock.now() + ms : 0
  }
}

function named(name: string): { constraint: string; rest: string } {
  const colon = name.indexOf(':')
  return { constraint: name.slice(0, colon), rest: name.slice(colon + 1) }
}

function split(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ')
}
