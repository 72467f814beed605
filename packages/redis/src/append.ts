import { encodeEvent, limits, MillraceError, type Topic } from '@millrace/event'
import {
  type AppendResult,
  type AppendUnit,
  type ChannelBatch,
  type ChannelResult,
  identity,
  type Position,
  type Prepared,
  seqOf,
} from '@millrace/log'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const script = new Script('append.lua')

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

interface Header {
  now?: number
  window: number
  most: number
  pack: number
  packBytes: number
  lens: number[]
  keys: string[]
  k: number[]
  u?: number[]
  ids?: string[]
  x?: Record<string, number>
  f?: Record<string, string>
  s?: Record<string, true>
  c?: Record<string, readonly (readonly [string, string, Readonly<Record<string, string>>])[]>
  kept?: true
  ch?: readonly (string | number)[]
}

/** One call of the append script: its arguments, gathered. */
class Call {
  readonly header: Header
  readonly #topic: Topic
  readonly #partition: number
  readonly #texts: string[] = []
  readonly #keyAt = new Map<string, number>()

  constructor(topic: Topic, partition: number, bounds: AppendBounds) {
    this.#topic = topic
    this.#partition = partition
    this.header = {
      ...(bounds.now ? { now: bounds.now() } : {}),
      window: bounds.dedupeWindowMs,
      most: bounds.dedupeIds,
      pack: bounds.packEvents,
      packBytes: bounds.packBytes,
      lens: [],
      keys: [],
      k: [],
    }
  }

  add(text: string): void {
    this.#texts.push(text)
    this.header.lens.push(Buffer.byteLength(text))
  }

  key(key: string): void {
    let at = this.#keyAt.get(key)
    if (at === undefined) {
      this.header.keys.push(key)
      at = this.header.keys.length
      this.#keyAt.set(key, at)
    }
    this.header.k.push(at)
  }

  async run(redis: Redis, keys: Keys): Promise<{ ms: string; first: number; results: unknown }> {
    const own = keys.partition(this.#topic, this.#partition)
    const claims = keys.claims(this.#topic, this.#partition)
    const names = [
      own.log,
      own.meta,
      own.ids,
      own.idsOld,
      own.idsKept,
      own.channels,
      claims.claims,
      claims.owners,
      claims.claimsMeta,
    ]
    for (const key of this.header.keys) names.push(keys.keyIndex(this.#topic, this.#partition, key))
    const reply = await script.run(redis, names, [JSON.stringify(this.header), `[${this.#texts.join(',')}]`])
    const [ms, first, results] = reply as [string, string, string]
    return { ms, first: Number(first), results: JSON.parse(results) }
  }
}

/** Appends units to one partition by one call of the script. */
export async function appendUnits(
  redis: Redis,
  keys: Keys,
  topic: Topic,
  partition: number,
  units: readonly Prepared[],
  bounds: AppendBounds,
): Promise<readonly AppendResult[]> {
  const call = new Call(topic, partition, bounds)
  const { header } = call
  header.u = []
  header.ids = []
  if (topic.placement === 'together') header.kept = true
  for (const [at, { unit, key, texts }] of units.entries()) {
    const name = String(at + 1)
    call.key(key)
    header.u.push(texts.length)
    for (const text of texts) call.add(text)
    for (const event of unit.events) header.ids.push(identity(event))
    if (unit.expectedVersion !== undefined) (header.x ??= {})[name] = unit.expectedVersion
    if (unit.fingerprint !== undefined) (header.f ??= {})[name] = unit.fingerprint
    if (unit.skipUnchanged) (header.s ??= {})[name] = true
    if (unit.claims && unit.claims.length > 0)
      (header.c ??= {})[name] = unit.claims.map((claim) => [claim.constraint, claim.action, claim.digests])
  }
  const { ms, first, results } = await call.run(redis, keys)
  let seq = first
  return (results as Verdict[]).map((verdict, at) => {
    const { unit } = units[at] as Prepared
    if (verdict[0] === 'a') {
      const positions = unit.events.map(() => ({
        topic: topic.name,
        partition,
        id: `${ms}-${seq}`,
        seq: seq++,
      }))
      return { status: 'appended', positions, version: verdict[1] }
    }
    if (verdict[0] === 'd')
      return {
        status: 'duplicate',
        positions: verdict.slice(1).map((id) => positionAt(topic, partition, String(id))),
      }
    if (verdict[0] === 'u') return { status: 'unchanged', position: positionAt(topic, partition, verdict[1]) }
    return { status: 'refused', error: refusal(verdict, unit) }
  })
}

/** Appends a channel batch by one call of the script. */
export async function appendChannel(
  redis: Redis,
  keys: Keys,
  topic: Topic,
  batch: ChannelBatch,
  bounds: AppendBounds,
): Promise<ChannelResult> {
  const call = new Call(topic, batch.partition, bounds)
  let bytes = 0
  for (const event of batch.events) {
    const text = encodeEvent(topic, event)
    bytes += text.length
    call.add(text)
    call.key(event.subject)
  }
  if (bytes > limits.appendBytes)
    throw new MillraceError('append.limit', `An append has at most ${limits.appendBytes} bytes`)
  const mark = batch.mark === undefined ? [] : [batch.mark]
  call.header.ch = [batch.channel, batch.incarnation, batch.first, ...mark]
  const verdict = (await call.run(redis, keys)).results as
    | ['a', number, number]
    | ['r', 'gap', number]
    | ['r', 'stale', number, number]
  if (verdict[0] === 'a') return { status: 'appended', taken: verdict[1], last: verdict[2] }
  const error =
    verdict[1] === 'gap'
      ? new MillraceError(
          'append.channel-gap',
          `Channel ${batch.channel} expects ${verdict[2] + 1}, not ${batch.first}`,
        )
      : new MillraceError('append.channel-stale', `Channel ${batch.channel} has incarnation ${verdict[3]}`)
  return { status: 'refused', error, last: verdict[2] }
}

type Refusal =
  | ['r', 'version', number]
  | ['r', 'claimed', string]
  | ['r', 'owner', string, boolean]
  | ['r', 'keyring', string]
  | ['r', 'fingerprint']
  | ['r', 'partial']
  | ['r', 'gated']
type Verdict = ['a', number] | ['d', ...string[]] | ['u', string] | Refusal

function refusal(verdict: Refusal, unit: AppendUnit): MillraceError {
  switch (verdict[1]) {
    case 'version':
      return new MillraceError(
        'append.version',
        `The key has ${verdict[2]} events, not ${unit.expectedVersion}`,
        { details: { version: verdict[2] } },
      )
    case 'claimed': {
      const field = fieldOf(unit, verdict[2])
      return new MillraceError('append.claimed', `The ${field} is taken`, {
        details: { constraint: verdict[2], field },
      })
    }
    case 'owner': {
      const why = verdict[3]
        ? 'The key holds this claim already'
        : 'The key holds no claim of this constraint'
      return new MillraceError('append.not-owner', why, {
        details: { constraint: verdict[2], field: fieldOf(unit, verdict[2]) },
      })
    }
    case 'keyring':
      return new MillraceError('append.keyring', `The claim lacks a digest of keyring version ${verdict[2]}`)
    case 'fingerprint':
      return new MillraceError('append.fingerprint')
    case 'partial':
      return new MillraceError('append.partial-duplicate')
    case 'gated':
      return new MillraceError('append.gated')
  }
}

function fieldOf(unit: AppendUnit, constraint: string): string {
  return unit.claims?.find((claim) => claim.constraint === constraint)?.field ?? constraint
}

function positionAt(topic: Topic, partition: number, id: string): Position {
  return { topic: topic.name, partition, id, seq: seqOf(id) }
}
