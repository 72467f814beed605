import type { Topic } from '@millrace/event'
import {
  beginning,
  type ClaimedDigest,
  type ClaimEntry,
  type ClaimRebuild,
  type ClaimStore,
  type Page,
  type RebuildStep,
  type SwapResult,
} from '@millrace/log'
import type { Redis } from 'ioredis'
import { parseClaimName } from './claim-names.ts'
import { readFailure, writeFailure } from './failure.ts'
import type { Keys } from './keys.ts'
import { rebuildStep } from './rebuild-step.ts'
import { rebuildSwap } from './rebuild-swap.ts'

const pageFields = 1_000

/** Claims on Redis as an operator sees them. */
export class RedisClaims implements ClaimStore {
  readonly #redis: Redis
  readonly #keys: Keys
  readonly #now: (() => number) | undefined

  constructor(redis: Redis, keys: Keys, now?: () => number) {
    this.#redis = redis
    this.#keys = keys
    this.#now = now
  }

  ownerOf(
    topic: Topic,
    constraint: string,
    digests: Readonly<Record<string, string>>,
  ): Promise<string | undefined> {
    const fields = Object.entries(digests).map(([version, digest]) => `${constraint}:${version}:${digest}`)
    if (fields.length === 0) return Promise.resolve(undefined)
    return read(async () => {
      const owners = await this.#redis.hmget(this.#keys.claims(topic).claims, ...fields)
      return owners.find((owner) => owner !== null) ?? undefined
    })
  }

  liveVersions(topic: Topic): Promise<readonly string[]> {
    return read(async () => {
      const live = await this.#redis.hget(this.#keys.claims(topic).claimsMeta, 'live')
      return live ? live.split(',') : []
    })
  }

  entryOf(topic: Topic, constraint: string, key: string): Promise<ClaimEntry | undefined> {
    return read(async () => {
      const text = await this.#redis.hget(this.#keys.claims(topic).owners, `${constraint}:${key}`)
      return text === null ? undefined : { constraint, key, digests: split(text) }
    })
  }

  entries(topic: Topic, from = '0'): Promise<Page<ClaimEntry>> {
    return this.#scan(this.#keys.claims(topic).owners, from, (field, value) => {
      const { constraint, rest } = parseClaimName(field)
      return { constraint, key: rest, digests: split(value) }
    })
  }

  digests(topic: Topic, from = '0'): Promise<Page<ClaimedDigest>> {
    return this.#scan(this.#keys.claims(topic).claims, from, (field, value) => {
      const { constraint, rest } = parseClaimName(field)
      return { constraint, digest: rest, key: value }
    })
  }

  beginRebuild(topic: Topic, versions: readonly string[]): Promise<ClaimRebuild> {
    const wanted = versions.toSorted().join(',')
    return write(async () => {
      const { rebuild } = this.#keys.claims(topic)
      let state = await this.#redis.hgetall(rebuild)
      if (state['versions'] !== wanted) {
        await this.dropRebuild(topic)
        await this.#redis.hset(rebuild, 'versions', wanted)
        state = {}
      }
      const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition)
      return {
        versions: wanted.split(','),
        read: new Map(partitions.map((partition) => [partition, state[String(partition)] ?? beginning])),
      }
    })
  }

  stepRebuild(topic: Topic, step: RebuildStep): Promise<'added' | 'stale'> {
    return write(async () => {
      const versions = await this.#redis.hget(this.#keys.claims(topic).rebuild, 'versions')
      return versions === null
        ? 'stale'
        : rebuildStep(this.#redis, this.#keys, topic, versions.split(','), step)
    })
  }

  swapRebuild(topic: Topic): Promise<SwapResult> {
    return write(() => rebuildSwap(this.#redis, this.#keys, topic))
  }

  async dropRebuild(topic: Topic): Promise<void> {
    const { rebuild, claimsNext, ownersNext, contested } = this.#keys.claims(topic)
    await write(() => this.#redis.unlink(rebuild, claimsNext, ownersNext, contested))
  }

  async gate(topic: Topic, ms: number): Promise<void> {
    const { claimsMeta } = this.#keys.claims(topic)
    await write(async () => {
      if (ms <= 0) return this.#redis.hdel(claimsMeta, 'gate')
      // The server's clock, because the append script compares with it.
      const now = this.#now?.() ?? (await this.#serverNow())
      return this.#redis.hset(claimsMeta, 'gate', String(Math.ceil(now + ms)))
    })
  }

  async #serverNow(): Promise<number> {
    const [seconds, micros] = await this.#redis.time()
    return Number(seconds) * 1_000 + Number(micros) / 1_000
  }

  #scan<T>(key: string, from: string, item: (field: string, value: string) => T): Promise<Page<T>> {
    return read(async () => {
      const [next, flat] = await this.#redis.hscan(key, from, 'COUNT', pageFields)
      const items: T[] = []
      for (let at = 0; at < flat.length; at += 2) items.push(item(flat[at] ?? '', flat[at + 1] ?? ''))
      return { items, next: next === '0' ? undefined : next }
    })
  }
}

function split(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ')
}

async function read<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw readFailure(error)
  }
}

async function write<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw writeFailure(error)
  }
}
