import type { MillraceError, Topic } from '@millrace/event'
import {
  type AppendResult,
  type ChannelBatch,
  type ChannelResult,
  type Encoded,
  identity,
  type Position,
  type Prepared,
} from '@millrace/log'
import type { Redis } from 'ioredis'
import { channelResult, type ChannelVerdict, otherResult, type Verdict } from './append-verdict.ts'
import { replyFailure } from './failure.ts'
import { fenceField } from './fence.ts'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const appendScript = new Script('append.lua')
const severalScript = new Script('append-several.lua')

/** Units for one partition. */
export interface PartitionUnits {
  readonly partition: number
  readonly units: readonly Prepared[]
}

/** Bounds that the append script is called with. */
export interface AppendBounds {
  /** How long an event id without claims is remembered at least, in ms. */
  readonly dedupeWindowMs: number
  /** Ids after which a generation ends before its time, to bound memory. */
  readonly dedupeIds: number
  /** Most events in one stream entry. */
  readonly packEvents: number
  /** Most bytes of events in one stream entry (a single larger event has its own). */
  readonly packBytes: number
  /** Time in ms for tests and simulation; absent: the server's clock. */
  readonly now?: () => number
}

/** The header of a call, as `append.lua` describes it. */
interface Header {
  now?: number
  window: number
  most: number
  pack: number
  packBytes: number
  n: number
  k: number[]
  u?: number[]
  ids?: string[]
  x?: (number | false)[]
  f?: (string | false)[]
  s?: boolean[]
  c?: number[]
  cc?: string[]
  ca?: string[]
  ct?: string[]
  keys?: readonly string[]
  kept?: true
  ch?: readonly (string | number | boolean)[]
}

/** Appends to partitions by the append script. */
export class Appender {
  readonly #redis: Redis
  readonly #keys: Keys
  readonly #bounds: AppendBounds
  readonly #script: Script

  constructor(redis: Redis, keys: Keys, bounds: AppendBounds, script = appendScript) {
    this.#redis = redis
    this.#keys = keys
    this.#bounds = bounds
    this.#script = script
  }

  /** Appends units to one partition by one call of the script; one result a unit. */
  async units(topic: Topic, partition: number, units: readonly Prepared[]): Promise<readonly AppendResult[]> {
    const { names, args } = this.#callOf(topic, { partition, units })
    const reply = (await this.#run(this.#script, names, args)) as Reply<Verdict[]>
    return resultsOf(topic, partition, units, reply)
  }

  /**
   * Appends to several partitions of a topic that lies in one slot, by one call. Each is an atomic step of its own:
   * its results, or the error that kept it from being written.
   */
  async several(
    topic: Topic,
    parts: readonly PartitionUnits[],
  ): Promise<readonly (readonly AppendResult[] | MillraceError)[]> {
    const names: string[] = []
    const args: string[] = []
    const counts = parts.map((part) => {
      const call = this.#callOf(topic, part)
      for (const name of call.names) names.push(name)
      for (const arg of call.args) args.push(arg)
      return call.names.length
    })
    const replies = await this.#run(severalScript, names, [JSON.stringify(counts), ...args])
    return (replies as (Reply<Verdict[]> | [error: 'error', words: string])[]).map((reply, at) => {
      const { partition, units } = parts[at] as PartitionUnits
      return reply[0] === 'error'
        ? replyFailure(String(reply[1]), `${topic.name}/${partition}`)
        : resultsOf(topic, partition, units, reply as Reply<Verdict[]>)
    })
  }

  /** Appends a channel batch, encoded, by one call of the script. */
  async channel(topic: Topic, batch: ChannelBatch, { texts, sizes }: Encoded): Promise<ChannelResult> {
    const keys = new KeyNumbers()
    const header = this.#header()
    for (const event of batch.events) header.k.push(keys.of(event.subject))
    const { partition, mark = false, fence } = batch
    const fenced = fence ? [fenceField(fence.name), fence.token] : []
    header.ch = [batch.channel, batch.incarnation, batch.first, mark, ...fenced]
    header.n = texts.length
    const names = this.#keys.append(topic, partition, keys.all)
    const reply = (await this.#run(
      this.#script,
      names,
      argsOf(header, texts, sizes),
    )) as Reply<ChannelVerdict>
    return channelResult(reply[2], batch)
  }

  async #run(script: Script, names: readonly string[], args: readonly string[]): Promise<unknown> {
    return JSON.parse(String(await script.run(this.#redis, names, args)))
  }

  #callOf(
    topic: Topic,
    { partition, units }: PartitionUnits,
  ): { readonly names: readonly string[]; readonly args: readonly string[] } {
    const keys = new KeyNumbers()
    const texts: string[] = []
    const sizes: number[] = []
    const ids: string[] = []
    const header: Header = { ...this.#header(), ids }
    for (const { unit, key, texts: own, sizes: ownSizes } of units) {
      header.k.push(keys.of(key))
      for (const text of own) texts.push(text)
      for (const size of ownSizes) sizes.push(size)
      for (const event of unit.events) ids.push(identity(event))
    }
    if (texts.length > units.length) header.u = units.map((one) => one.texts.length)
    if (topic.placement === 'together') header.kept = true
    header.n = texts.length
    addDemands(header, units, keys.all)
    return { names: this.#keys.append(topic, partition, keys.all), args: argsOf(header, texts, sizes) }
  }

  #header(): Header {
    const { now, dedupeWindowMs, dedupeIds, packEvents, packBytes } = this.#bounds
    return {
      ...(now ? { now: now() } : {}),
      window: dedupeWindowMs,
      most: dedupeIds,
      pack: packEvents,
      packBytes,
      n: 0,
      k: [],
    }
  }
}

type Reply<Results> = readonly [ms: string, first: number, results: Results]

function argsOf(header: Header, texts: readonly string[], sizes: readonly number[]): readonly string[] {
  return [JSON.stringify(header), `[${texts.join(',')}]`, `[${sizes.join(',')}]`]
}

/** Numbers the distinct keys of a call, from 1. */
class KeyNumbers {
  readonly all: string[] = []
  readonly #numbers = new Map<string, number>()

  of(key: string): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.all.push(key)
    this.#numbers.set(key, number)
    return number
  }
}

/** Adds what units demand beside being new. A list that no unit needs is left out. */
function addDemands(header: Header, units: readonly Prepared[], keys: readonly string[]): void {
  let [versions, fingerprints, claims] = [false, false, false]
  for (const { unit } of units) {
    if (unit.expectedVersion !== undefined) versions = true
    if (unit.fingerprint !== undefined) fingerprints = true
    if (unit.claims && unit.claims.length > 0) claims = true
  }
  if (versions) header.x = units.map(({ unit }) => unit.expectedVersion ?? false)
  if (fingerprints) header.f = units.map(({ unit }) => unit.fingerprint ?? false)
  if (!claims) return
  header.keys = keys
  header.s = units.map(({ unit }) => unit.skipUnchanged ?? false)
  const [counts, constraints, actions, tags] = [
    [] as number[],
    [] as string[],
    [] as string[],
    [] as string[],
  ]
  for (const { unit } of units) {
    counts.push(unit.claims?.length ?? 0)
    for (const { constraint, action, digests } of unit.claims ?? []) {
      constraints.push(constraint)
      actions.push(action)
      tags.push(tagsOf(digests))
    }
  }
  Object.assign(header, { c: counts, cc: constraints, ca: actions, ct: tags })
}

function tagsOf(digests: Readonly<Record<string, string>>): string {
  let tags = ''
  for (const version of Object.keys(digests)) tags += `${tags && ' '}${version}:${digests[version]}`
  return tags
}

function resultsOf(
  topic: Topic,
  partition: number,
  units: readonly Prepared[],
  [ms, first, verdicts]: Reply<readonly Verdict[]>,
): readonly AppendResult[] {
  const prefix = `${ms}-`
  let seq = first
  return units.map(({ unit }, at): AppendResult => {
    const verdict = verdicts[at] as Verdict
    if (typeof verdict !== 'number') return otherResult(verdict, unit, topic, partition)
    const positions: Position[] = []
    for (let left = unit.events.length; left > 0; left--, seq++)
      positions.push({ topic: topic.name, partition, id: prefix + seq, seq })
    return { status: 'appended', positions, version: verdict }
  })
}
