import { MillraceError, type Topic } from '@millrace/event'
import { beginning, type EventLog, type Position } from '@millrace/log'
import type { ConsumerNews } from '../consumer-event.ts'
import type { GroupPartition, GroupStart, GroupStore, Lease, Reached } from '../group-store.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { Withheld } from './withheld.ts'

/**
 * A place in every partition: before the first event (`earliest`), behind the last one (`latest`), behind the last one
 * that was recorded before a time (a date, or ISO 8601), or behind the positions that are named (other partitions:
 * before the first).
 */
export type StartPoint = string | Date | readonly Position[]

/** What of a log finds the places that a beginning names. */
export type StartLog = Partial<Pick<EventLog, 'tips' | 'readAt'>>

/** How a group begins that has no record yet. A group that has one goes on from it, and says that it does. */
export interface BeginOptions {
  /** Events before it are none of the group's. Default `earliest`. */
  readonly from?: StartPoint
  /**
   * Events before it are folded, and their emits and effects are withheld: counted, never carried out. Stored in the
   * group's record, so that every later run agrees. Default: `earliest`, nothing is withheld.
   */
  readonly effectsFrom?: StartPoint
  /**
   * Everything of the group is gone when it had no sign of life for `expireMs`, at least twice the lease. `true`: for
   * a minute, or four leases. Not together with `members`.
   */
  readonly ephemeral?: boolean | { readonly expireMs: number }
}

/** What a run has learnt of how its group began. */
export interface BeginHealth {
  /** Partitions whose record was there already, so that `from` and `effectsFrom` were not heeded. */
  readonly startIgnored?: readonly number[]
  /** What this run has folded and not carried out. */
  readonly withheld?: { readonly effects: number; readonly emits: number }
}

/** The beginning of a group, as one run of it sees it: its way to the store names the start and the time to live. */
export class GroupBeginning {
  readonly store: GroupStore
  readonly #tell: (news: ConsumerNews) => void
  readonly #starts: readonly GroupStart[] | undefined
  readonly #withheldTo = new Map<number, number>()
  readonly #seen = new Set<number>()
  readonly #ignored = new Set<number>()
  readonly #counts = { effects: 0, emits: 0 }

  constructor(
    store: GroupStore,
    given: {
      readonly starts: readonly GroupStart[] | undefined
      readonly expireMs: number | undefined
      readonly tell: (news: ConsumerNews) => void
    },
  ) {
    this.#starts = given.starts
    this.#tell = given.tell
    this.store = this.#way(store, given.expireMs)
  }

  /** What of a partition does not go out. */
  withheldIn(partition: number): Withheld | undefined {
    const upTo = this.#withheldTo.get(partition) ?? 0
    if (upTo === 0) return undefined
    return {
      covers: (seq) => seq <= upTo,
      note: ({ effects, emits }: Delivery) => {
        this.#counts.effects += effects?.length ?? 0
        this.#counts.emits += emits?.length ?? 0
      },
    }
  }

  health(): BeginHealth {
    const { effects, emits } = this.#counts
    return {
      ...(this.#ignored.size > 0 ? { startIgnored: [...this.#ignored].toSorted((a, b) => a - b) } : {}),
      ...(effects + emits > 0 ? { withheld: { effects, emits } } : {}),
    }
  }

  #way(store: GroupStore, expireMs: number | undefined): GroupStore {
    const placed = (at: GroupPartition): GroupPartition => (expireMs === undefined ? at : { ...at, expireMs })
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'acquire')
          return async (at: GroupPartition, member: string, leaseMs: number) =>
            this.#began(at, await target.acquire(placed(at), member, leaseMs, this.#starts?.[at.partition]))
        const found: unknown = Reflect.get(target, name)
        if (typeof found !== 'function') return found
        return (at: GroupPartition, ...rest: readonly unknown[]): unknown =>
          Reflect.apply(found, target, [placed(at), ...rest])
      },
    })
  }

  #began({ partition }: GroupPartition, lease: Lease | undefined): Lease | undefined {
    if (lease === undefined) return undefined
    this.#withheldTo.set(partition, lease.withheldTo)
    if (this.#seen.has(partition)) return lease
    this.#seen.add(partition)
    if (this.#starts !== undefined && !lease.began) {
      this.#ignored.add(partition)
      this.#tell({ kind: 'start-ignored', partition, position: lease.position })
    }
    return lease
  }
}

/**
 * Where a group begins in each partition; undefined: nothing was said.
 *
 * @throws MillraceError `position.invalid`, `log.unavailable`
 */
export async function startsOf(
  log: StartLog,
  topic: Topic,
  { from, effectsFrom }: BeginOptions,
): Promise<readonly GroupStart[] | undefined> {
  if (from === undefined && effectsFrom === undefined) return undefined
  const [starts, effects] = await Promise.all([
    placesOf(log, topic, from ?? 'earliest'),
    placesOf(log, topic, effectsFrom ?? 'earliest'),
  ])
  return starts.map(({ id, seq }, partition) => ({ id, seq, withheldTo: effects[partition]?.seq ?? 0 }))
}

/** How long everything of an ephemeral group is kept, in ms. Throws a TypeError where that is too short. */
export function expiryOf({ ephemeral }: BeginOptions, leaseMs: number): number | undefined {
  if (ephemeral === undefined || ephemeral === false) return undefined
  if (ephemeral === true) return Math.max(60_000, leaseMs * 4)
  if (!(Number.isSafeInteger(ephemeral.expireMs) && ephemeral.expireMs >= leaseMs * 2))
    throw new TypeError(`expireMs of an ephemeral group must be at least two leases, ${leaseMs * 2} ms`)
  return ephemeral.expireMs
}

async function placesOf(log: StartLog, topic: Topic, point: StartPoint): Promise<readonly Reached[]> {
  const first = { id: beginning, seq: 0 }
  if (point === 'earliest') return Array.from({ length: topic.partitions }, () => first)
  const { tips, readAt } = log
  if (tips === undefined || readAt === undefined)
    throw new TypeError('To begin elsewhere than at the first event, the log needs tips and readAt')
  if (point === 'latest') return tips.call(log, topic)
  if (typeof point === 'string' || point instanceof Date) {
    const beforeMs = typeof point === 'string' ? Date.parse(point) : point.getTime()
    if (!Number.isFinite(beforeMs))
      throw new MillraceError('position.invalid', `"${String(point)}" is no time`)
    return tips.call(log, topic, { beforeMs })
  }
  for (const position of point)
    if (position.topic !== topic.name || !(await readAt.call(log, topic, position)))
      throw new MillraceError('position.invalid', `Topic ${topic.name} has no event at ${position.id}`)
  return Array.from(
    { length: topic.partitions },
    (_, partition) => point.find((position) => position.partition === partition) ?? first,
  )
}
