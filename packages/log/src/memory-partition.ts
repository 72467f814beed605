import { type Event, MillraceError, storedEvent, type Topic } from '@millrace/event'
import type {
  AppendResult,
  AppendUnit,
  ChannelBatch,
  ChannelResult,
  ChannelState,
  Fence,
  FenceResult,
} from './append.ts'
import type { Recorded } from './event-log.ts'
import type { MemoryClaims } from './memory-claims.ts'
import { beginning, compareIds, type Position, recordedMsOf } from './position.ts'
import type { Encoded, Prepared } from './prepare.ts'
import { counterOf, identity } from './units.ts'

interface Known {
  readonly position: Position
  readonly fingerprint: string | undefined
}

/** When a dedupe generation ends: after so many ms, or so many ids. */
export interface DedupeBounds {
  readonly windowMs: number
  readonly mostIds: number
}

interface Entry {
  readonly position: Position
  readonly json: string
}

/** One partition in memory. Every method is one atomic step. */
export class MemoryPartition {
  readonly #topic: Topic
  readonly #partition: number
  readonly #claims: MemoryClaims
  readonly #entries: Entry[] = []
  readonly #byKey = new Map<string, Entry[]>()
  readonly #channels = new Map<string, ChannelState>()
  readonly #fences = new Map<string, string>()
  // Two generations and one for ever: see ADR 0003.
  #recent = new Map<string, Known>()
  #old = new Map<string, Known>()
  readonly #kept = new Map<string, Known>()
  #recentSince = 0
  #ms = 0

  constructor(topic: Topic, partition: number, claims: MemoryClaims) {
    this.#topic = topic
    this.#partition = partition
    this.#claims = claims
  }

  /** The last event, or the last one that was recorded before a time. */
  tip(beforeMs = Number.POSITIVE_INFINITY): Position {
    return (
      this.#entries.findLast(({ position }) => recordedMsOf(position.id) < beforeMs)?.position ?? {
        topic: this.#topic.name,
        partition: this.#partition,
        id: beginning,
        seq: 0,
      }
    )
  }

  /** Appends units in one step, as one call of the script on Redis does. */
  append(units: readonly Prepared[], now: number, bounds: DedupeBounds): readonly AppendResult[] {
    const rotate = now - this.#recentSince >= bounds.windowMs || this.#recent.size >= bounds.mostIds
    const fresh = new Map<string, Known>()
    const results = units.map((unit) => this.#judge(unit, now, fresh))
    if (rotate && fresh.size > 0) {
      this.#old = this.#recent
      this.#recent = new Map()
      this.#recentSince = now
    }
    for (const [id, known] of fresh) this.#recent.set(id, known)
    return results
  }

  #judge({ unit, key, texts }: Prepared, now: number, fresh: Map<string, Known>): AppendResult {
    const ids = unit.events.map(identity)
    const known = ids.flatMap((id) => this.#known(id) ?? fresh.get(id) ?? [])
    if (known.length > 0) return repeated(unit, known)
    const version = this.#byKey.get(key)?.length ?? 0
    if (unit.expectedVersion !== undefined && unit.expectedVersion !== version)
      return refused(
        new MillraceError('append.version', `The key has ${version} events, not ${unit.expectedVersion}`, {
          details: { version },
        }),
      )
    const changes = unit.claims ?? []
    const plan = this.#claims.plan(key, changes, now)
    if (plan instanceof MillraceError) return refused(plan)
    const last = this.#byKey.get(key)?.at(-1)
    if (unit.skipUnchanged && changes.length > 0 && !plan.changed && last)
      return { status: 'unchanged', position: last.position }
    this.#claims.commit(key, plan)
    const positions = texts.map((json) => this.#write(key, json, now))
    if (changes.length > 0) this.#claims.changed.set(this.#partition, this.tip().seq)
    const remember = changes.length > 0 ? this.#kept : fresh
    for (const [at, position] of positions.entries())
      remember.set(ids[at] as string, { position, fingerprint: unit.fingerprint })
    return { status: 'appended', positions, version: version + positions.length }
  }

  appendChannel(batch: ChannelBatch, { texts }: Encoded, now: number): ChannelResult {
    const state = this.channel(batch.channel)
    if (batch.fence && this.#fences.get(batch.fence.name) !== batch.fence.token)
      return {
        ...refused(new MillraceError('append.channel-fenced', `Channel ${batch.channel} is fenced off`)),
        last: state.last,
      }
    if (batch.incarnation < state.incarnation)
      return {
        ...refused(
          new MillraceError(
            'append.channel-stale',
            `Channel ${batch.channel} has incarnation ${state.incarnation}`,
          ),
        ),
        last: state.last,
      }
    const last = batch.incarnation > state.incarnation ? 0 : state.last
    if (batch.first > last + 1)
      return {
        ...refused(
          new MillraceError(
            'append.channel-gap',
            `Channel ${batch.channel} expects ${last + 1}, not ${batch.first}`,
          ),
        ),
        last,
      }
    const fresh = batch.first + batch.events.length - 1 - last
    if (batch.events.length === 0 && batch.first === last + 1)
      this.#channels.set(batch.channel, {
        incarnation: batch.incarnation,
        last,
        mark: batch.mark ?? state.mark,
      })
    if (fresh <= 0) return { status: 'appended', taken: 0, last }
    for (let at = batch.events.length - fresh; at < batch.events.length; at++)
      this.#write((batch.events[at] as Event).subject, texts[at] as string, now)
    this.#channels.set(batch.channel, {
      incarnation: batch.incarnation,
      last: last + fresh,
      mark: batch.mark ?? state.mark,
    })
    return { status: 'appended', taken: fresh, last: last + fresh }
  }

  fence({ name, token }: Fence): FenceResult {
    const before = this.#fences.get(name)
    const isLater = before === undefined || counterOf(token) > counterOf(before)
    if (before !== undefined && before !== token && !isLater) return { status: 'refused', token: before }
    this.#fences.set(name, token)
    return { status: 'set' }
  }

  channel(name: string): ChannelState {
    return this.#channels.get(name) ?? { incarnation: 0, last: 0, mark: undefined }
  }

  read(after: string, limit: number): readonly Recorded[] {
    // Ids only grow: halving finds the first one behind, where a look at each would make long histories quadratic.
    let [from, end] = [0, this.#entries.length]
    while (from < end) {
      const middle = (from + end) >>> 1
      const entry = this.#entries[middle] as Entry
      if (compareIds(entry.position.id, after) > 0) end = middle
      else from = middle + 1
    }
    return this.#entries.slice(from, from + limit).map(recorded)
  }

  readKey(
    key: string,
    afterVersion: number,
    limit: number,
  ): { events: readonly Recorded[]; version: number } {
    const entries = this.#byKey.get(key) ?? []
    return {
      events: entries.slice(afterVersion, afterVersion + limit).map(recorded),
      version: entries.length,
    }
  }

  readAt(id: string): Recorded | undefined {
    const entry = this.#entries.find((candidate) => candidate.position.id === id)
    return entry && recorded(entry)
  }

  #known(id: string): Known | undefined {
    return this.#recent.get(id) ?? this.#old.get(id) ?? this.#kept.get(id)
  }

  #write(key: string, json: string, now: number): Position {
    this.#ms = Math.max(this.#ms, now)
    const seq = this.#entries.length + 1
    const entry: Entry = {
      json,
      position: { topic: this.#topic.name, partition: this.#partition, id: `${this.#ms}-${seq}`, seq },
    }
    this.#entries.push(entry)
    const ofKey = this.#byKey.get(key)
    if (ofKey) ofKey.push(entry)
    else this.#byKey.set(key, [entry])
    return entry.position
  }
}

function repeated(unit: AppendUnit, known: readonly Known[]): AppendResult {
  if (known.length < unit.events.length) return refused(new MillraceError('append.partial-duplicate'))
  const other = known.some(
    (one) =>
      one.fingerprint !== undefined && unit.fingerprint !== undefined && one.fingerprint !== unit.fingerprint,
  )
  if (other) return refused(new MillraceError('append.fingerprint'))
  return { status: 'duplicate', positions: known.map((one) => one.position) }
}

function refused(error: MillraceError): { readonly status: 'refused'; readonly error: MillraceError } {
  return { status: 'refused', error }
}

function recorded(entry: Entry): Recorded {
  return { event: storedEvent(JSON.parse(entry.json), entry.position.id), position: entry.position }
}
