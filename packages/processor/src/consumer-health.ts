import type { Reached } from './group-store.ts'
import type { MembersHealth } from './members/members-health.ts'
import type { PartitionWork, WaitingEffects } from './partition-work.ts'

/** How one partition of a consumer is. */
export interface PartitionHealth {
  readonly partition: number
  /** Whether this member has it. The rest is known only then. */
  readonly owned: boolean
  readonly position?: Reached
  /** Events behind the position. */
  readonly lag?: number
  /** Events that were read and are not settled up to. */
  readonly inHand?: number
  /** Keys that wait for the next attempt of their head. */
  readonly backingOff?: number
  /** Keys that it has in memory. */
  readonly lanes?: number
  /** Effects that wait to be carried out. With `full`, so many that it takes nothing in. */
  readonly effects?: WaitingEffects
  /** Lag without progress, for so many ms. */
  readonly stalledForMs?: number
  /** It is to be this member's, and has not been got yet, for so many ms. */
  readonly awaitedForMs?: number
  /** It is being handed over to another member. */
  readonly handingOver?: true
  /** Why the last try to work on it ended. */
  readonly fault?: string
}

/** How a consumer is. Fits what health checks answer: `state` and `message`. */
export interface ConsumerHealth {
  readonly state: 'ok' | 'degraded' | 'down'
  readonly message: string
  /** The gate is closed. */
  readonly paused: boolean
  readonly partitions: readonly PartitionHealth[]
  /** The group as this member sees it, when it has a list of members. */
  readonly members?: MembersHealth
}

/** What a run says of its partition. */
export function runHealth(run: PartitionWork): Partial<PartitionHealth> {
  const { position, lag, inHand, backingOff, lanes, effects, stalledForMs } = run
  const { waiting = 0, full = false, away = [] } = effects ?? {}
  const known = effects === undefined ? {} : { effects: { waiting, full, away } }
  return { position, lag, inHand, backingOff, lanes, ...known, stalledForMs: Math.round(stalledForMs) }
}

/** How long a partition may be without an owner beyond the length of a lease, in ms. */
const takeoverMs = 5_000

/** Sums the partitions up, in words for an operator. */
export function consumerHealth(
  partitions: readonly PartitionHealth[],
  given: {
    readonly paused: boolean
    readonly stopping: boolean
    readonly stalledMs: number
    readonly leaseMs: number
    readonly members: MembersHealth | undefined
  },
): ConsumerHealth {
  const owned = partitions.filter((one) => one.owned)
  const lag = owned.reduce((sum, one) => sum + (one.lag ?? 0), 0)
  const stalled = given.paused
    ? []
    : owned.filter(({ stalledForMs = 0 }) => stalledForMs >= given.stalledMs).map(numberOf)
  const faulty = partitions.filter((one) => one.fault !== undefined)
  const backingOff = owned.reduce((sum, one) => sum + (one.backingOff ?? 0), 0)
  const late = partitions
    .filter(({ awaitedForMs = 0 }) => awaitedForMs > given.leaseMs + takeoverMs)
    .map(numberOf)
  const { members } = given
  const full = owned.filter(({ effects }) => effects?.full === true).map(numberOf)
  const away = new Map(owned.flatMap(({ effects }) => (effects?.away ?? []).map((one) => [one.name, one])))
  const unlisted = members !== undefined && members.state !== 'live' && !given.stopping
  const words = [
    given.stopping ? 'stopping' : `owns ${owned.length} of ${partitions.length} partitions, lag ${lag}`,
    ...(given.paused ? ['paused'] : []),
    ...(backingOff > 0 ? [`${backingOff} keys wait for another attempt`] : []),
    ...[...away.values()].map((one) => `effect ${one.name}: breaker ${one.state}, ${one.waiting} wait`),
    ...(full.length > 0 ? [`full of waiting effects: partition ${full.join(', ')}`] : []),
    ...(stalled.length > 0 ? [`no progress in partition ${stalled.join(', ')}`] : []),
    ...faulty.map((one) => `partition ${one.partition}: ${one.fault}`),
    ...(late.length > 0 ? [`waits for partition ${late.join(', ')}`] : []),
    ...(unlisted ? [`${members.state} in the list of members`] : []),
    ...(members?.fault === undefined ? [] : [`the list of members: ${members.fault}`]),
  ]
  const down = stalled.length > 0 || faulty.length > 0 || members?.fault !== undefined
  const degraded =
    given.paused ||
    backingOff > 0 ||
    away.size > 0 ||
    full.length > 0 ||
    given.stopping ||
    late.length > 0 ||
    unlisted
  return {
    state: down ? 'down' : degraded ? 'degraded' : 'ok',
    message: words.join('; '),
    paused: given.paused,
    partitions,
    ...(members === undefined ? {} : { members }),
  }
}

function numberOf({ partition }: PartitionHealth): number {
  return partition
}
