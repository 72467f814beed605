import {
  type Clock,
  type Event,
  freshId,
  MillraceError,
  systemClock,
  upcast,
  validateData,
} from '@millrace/event'
import type { EventLog, Recorded } from '@millrace/log'
import type { DeadFilter, DeadItem } from '../dead-item.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { GroupStore } from '../group-store.ts'
import type { ParkedKey } from '../parked-key.ts'
import type { RuleRequest } from '../repairs.ts'
import { mergePatch } from './merge-patch.ts'
import type { RepairAction, RepairOrder, RepairOutcome } from './repair-action.ts'
import { tellRepair } from './repair-news.ts'
import type { SourcesOfTruth } from './source-of-truth.ts'
import { tracedRuling } from './traced-repair.ts'

/** What a {@link Repairer} works with. */
export interface RepairerParts {
  readonly store: Pick<GroupStore, 'rule' | 'deadItems' | 'loadStates'>
  readonly log: Pick<EventLog, 'readAt' | 'readKey'>
  /** Sources of truth by topic. Default: none. */
  readonly sources?: Readonly<Record<string, SourcesOfTruth>>
  readonly clock?: Clock
}

/** An event to be repaired: its place, and the key that it is of. */
export interface RepairTarget {
  readonly seq: number
  /** Stream id. */
  readonly id: string
  readonly key: string
  readonly type: string
  /** Number of the head that the operator saw. */
  readonly parkNo?: number
}

/** What a ruling says beside who and why. */
type Verdict = Pick<RuleRequest, 'kind' | 'data'>

/** Repairs what a group cannot process, in place: the log stays as it is. See docs/repairs.md. */
export class Repairer {
  readonly #parts: RepairerParts

  constructor(parts: RepairerParts) {
    this.#parts = parts
  }

  /**
   * Repairs one event. What does not come about is said by the outcome's status, not thrown.
   *
   * @throws MillraceError what the store throws
   */
  async event(
    at: GroupPartition,
    target: RepairTarget,
    action: RepairAction,
    order: RepairOrder,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<RepairOutcome> {
    try {
      if (action.do === 'refetch') return await this.#refetch(at, target, order, signal)
      const verdict = await this.#verdict(at, target, action)
      return await this.#rule(at, target, verdict, order)
    } catch (error) {
      return failed(at, target, error)
    }
  }

  /**
   * Repairs a parked key, line first and head last: an ignored or patched key is so from the head to the last event in
   * line; requeued and fetched again is the head, behind which the line goes on by itself. A key that is not parked:
   * its dead letters.
   */
  async *key(
    at: GroupPartition,
    key: string,
    action: RepairAction,
    order: RepairOrder,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<RepairOutcome> {
    const named = { ...order, id: order.id ?? freshId() }
    const [stored] = await this.#parts.store.loadStates(at, [key])
    const parked = stored?.parked
    if (!parked) {
      yield* this.selection(at, { key, status: 'dead' }, action, named, { signal })
      return
    }
    if (action.do === 'ignore' || (action.do === 'edit' && 'patch' in action))
      for await (const { event, position } of this.#line(at, parked)) {
        if (signal.aborted) return
        yield await this.event(at, targetOf(event, position), action, named, signal)
      }
    yield await this.event(at, headOf(parked), action, named, signal)
  }

  /**
   * Repairs all that a filter asks for and that was given up until now (or until the filter's `untilMs`), those that
   * were given up first before others. One that broke off goes on by the same order: nothing is done twice.
   */
  async *selection(
    at: GroupPartition,
    filter: DeadFilter,
    action: RepairAction,
    order: RepairOrder,
    { signal, page = 100 }: { readonly signal?: AbortSignal; readonly page?: number } = {},
  ): AsyncGenerator<RepairOutcome> {
    const named = { ...order, id: order.id ?? freshId() }
    const untilMs = filter.untilMs ?? (this.#parts.clock ?? systemClock).now()
    let after: string | undefined
    do {
      const found = await this.#parts.store.deadItems(at, {
        filter: { ...filter, untilMs },
        limit: page,
        ...(after === undefined ? {} : { after }),
      })
      if (signal?.aborted) return
      // In their order on one connection; sources are asked one after the other.
      const repair = (item: DeadItem) => this.event(at, targetOfItem(item), action, named, signal)
      if (action.do === 'refetch') for (const item of found.items) yield await repair(item)
      else yield* await Promise.all(found.items.map(repair))
      after = found.next
    } while (after !== undefined && !signal?.aborted)
  }

  async #verdict(
    at: GroupPartition,
    target: RepairTarget,
    action: Exclude<RepairAction, { do: 'refetch' }>,
  ): Promise<Verdict> {
    if (action.do === 'ignore') return { kind: 'ignored' }
    if (action.do === 'requeue') return { kind: 'requeued' }
    const data =
      'patch' in action
        ? mergePatch(presentData(at, await this.#original(at, target)), action.patch)
        : action.data
    return { kind: 'corrected', data: validateData(at.topic, target.type, data) }
  }

  async #original({ topic, partition }: GroupPartition, { id, seq }: RepairTarget): Promise<Event> {
    const found = await this.#parts.log.readAt(topic, { topic: topic.name, partition, id, seq })
    if (!found) throw new MillraceError('log.trimmed', `The event ${id} is not on the log any more`)
    return found.event
  }

  async #refetch(
    at: GroupPartition,
    target: RepairTarget,
    order: RepairOrder,
    signal: AbortSignal,
  ): Promise<RepairOutcome> {
    const source = this.#parts.sources?.[at.topic.name]?.[target.type]
    if (!source) throw new MillraceError('source.missing', `The type ${target.type} has no source of truth`)
    const state = await source.fetch(await this.#original(at, target), signal)
    if (!state)
      throw new MillraceError('source.failed', 'The source says that the entity is not there any more')
    const data = validateData(at.topic, target.type, state.data)
    const { version } = state
    let superseded = 0
    const [stored] = await this.#parts.store.loadStates(at, [target.key])
    const parked = stored?.parked
    if (version !== undefined && source.versionOf && parked?.head === target.seq)
      for await (const { event, position } of this.#line(at, parked)) {
        const older = event.type === target.type ? source.versionOf(event) : undefined
        if (older === undefined || older > version) continue
        const reason = `superseded by version ${version}: ${order.reason}`.slice(0, 1_000).toWellFormed()
        const verdict = { kind: 'ignored' } as const
        const { status } = await this.#rule(at, targetOf(event, position), verdict, { ...order, reason })
        if (status === 'ruled' || status === 'already') superseded += 1
      }
    const outcome = await this.#rule(at, target, { kind: 'corrected', data }, order)
    return superseded > 0 ? { ...outcome, superseded } : outcome
  }

  async #rule(
    at: GroupPartition,
    target: RepairTarget,
    verdict: Verdict,
    { by, reason, force, dryRun, id }: RepairOrder,
  ): Promise<RepairOutcome> {
    const { topic, group, partition } = at
    const { seq, key, parkNo } = target
    const request = {
      ...verdict,
      id: `${id ?? freshId()}.${partition}.${seq}`,
      ...{ seq, key, by, reason },
      ...(parkNo === undefined ? {} : { parkNo }),
      ...(force === undefined ? {} : { force }),
      ...(dryRun === undefined ? {} : { dryRun }),
    }
    const rule = () => this.#parts.store.rule(at, request)
    const traced = { id: request.id, seq, did: verdict.kind }
    const result = await (dryRun ? rule() : tracedRuling(at, traced, rule, () => this.#original(at, target)))
    const outcome: RepairOutcome = { partition, seq, key, ...result }
    if (result.status === 'ruled' && !dryRun) {
      const forced = result.overtaken !== undefined
      tellRepair({ topic: topic.name, group, partition, seq, kind: verdict.kind, on: result.on, by, forced })
    }
    return outcome
  }

  /** The events in line behind a head, in order; those that were settled out of turn are refused by the store. */
  async *#line({ topic }: GroupPartition, { key, head, last }: ParkedKey): AsyncGenerator<Recorded> {
    for (let afterVersion = 0; ;) {
      const { events, version } = await this.#parts.log.readKey(topic, key, { afterVersion })
      for (const recorded of events) {
        const { seq } = recorded.position
        if (seq > head && seq <= last) yield recorded
      }
      afterVersion += events.length
      if (events.length === 0 || afterVersion >= version) return
    }
  }
}

/** The event that an item of the list is about. */
export function targetOfItem({ letter, parked, seq, key, type }: DeadItem): RepairTarget {
  if (parked) return headOf(parked)
  return { seq, key, type, id: letter?.id ?? '' }
}

function headOf({ head, key, no, note }: ParkedKey): RepairTarget {
  return { seq: head, id: note.id, key, type: note.type, parkNo: no }
}

function targetOf({ subject, type }: Event, { seq, id }: Recorded['position']): RepairTarget {
  return { seq, id, key: subject, type }
}

/** The data as a handler would see them; as they lie on the log when they cannot be brought up to the present version. */
function presentData({ topic }: GroupPartition, event: Event): unknown {
  try {
    return upcast(topic, event).data
  } catch (error) {
    if (error instanceof MillraceError) return event.data
    throw error
  }
}

/** What is wrong with one event is its outcome; what is wrong with the store ends the repair. */
function failed({ partition }: GroupPartition, { seq, key }: RepairTarget, error: unknown): RepairOutcome {
  if (!(error instanceof MillraceError)) throw error
  const { code, message } = error
  const status = invalid.has(code) ? 'invalid' : 'failed'
  if (status === 'failed' && !code.startsWith('source.') && code !== 'log.trimmed') throw error
  return { partition, seq, key, status, code, message }
}

const invalid: ReadonlySet<string> = new Set([
  'event.invalid',
  'type.unknown',
  'json.invalid',
  'event.too-large',
])
