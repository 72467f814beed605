import type { Reached } from './group-store.ts'

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
  /** Lag without progress, for so many ms. */
  readonly stalledForMs?: number
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
}

/** Sums the partitions up, in words for an operator. */
export function consumerHealth(
  partitions: readonly PartitionHealth[],
  given: { readonly paused: boolean; readonly stopping: boolean; readonly stalledMs: number },
): ConsumerHealth {
  const owned = partitions.filter((one) => one.owned)
  const lag = owned.reduce((sum, one) => sum + (one.lag ?? 0), 0)
  const stalled = given.paused
    ? []
    : owned.filter(({ stalledForMs = 0 }) => stalledForMs >= given.stalledMs).map(numberOf)
  const faulty = partitions.filter((one) => one.fault !== undefined)
  const backingOff = owned.reduce((sum, one) => sum + (one.backingOff ?? 0), 0)
  const words = [
    given.stopping ? 'stopping' : `owns ${owned.length} of ${partitions.length} partitions, lag ${lag}`,
    ...(given.paused ? ['paused'] : []),
    ...(backingOff > 0 ? [`${backingOff} keys wait for another attempt`] : []),
    ...(stalled.length > 0 ? [`no progress in partition ${stalled.join(', ')}`] : []),
    ...faulty.map((one) => `partition ${one.partition}: ${one.fault}`),
  ]
  const down = stalled.length > 0 || faulty.length > 0
  const degraded = given.paused || backingOff > 0 || given.stopping
  return {
    state: down ? 'down' : degraded ? 'degraded' : 'ok',
    message: words.join('; '),
    paused: given.paused,
    partitions,
  }
}

function numberOf({ partition }: PartitionHealth): number {
  return partition
}
