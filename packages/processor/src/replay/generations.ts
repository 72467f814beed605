import type { Page } from '@millrace/log'
import type { GroupPartition, GroupStore, Lease, PageOptions } from '../group-store.ts'
import type { StoredState } from '../stored-state.ts'

/** A generation that is being built, as its owner knows it. */
export interface Building {
  readonly generation: number
  readonly token: string
  /** Number of its last commit. */
  readonly n: number
}

/** How a freeze ended. */
export type FreezeResult =
  /** The live partition is the caller's, until it switches, releases or lets the lease lapse. */
  | { readonly status: 'frozen'; readonly lease: Pick<Lease, 'token' | 'position' | 'n' | 'ahead' | 'tip'> }
  /** The generation has too many events to go up to the live position. */
  | { readonly status: 'behind'; readonly liveSeq: number }
  /** The building generation is another member's. */
  | { readonly status: 'fenced' }

/** How a switch ended. */
export type SwitchResult =
  | { readonly status: 'switched' }
  /** The live generation has this number already. */
  | { readonly status: 'already' }
  /** One of the two leases is another member's. */
  | { readonly status: 'fenced' }
  /** The two do not stand at the same position. */
  | { readonly status: 'apart' }
  /** The building generation has fired too many timers itself for one step. */
  | { readonly status: 'crowded' }

/** The record of a key, with its name. */
export interface StateOfKey {
  readonly key: string
  readonly state: StoredState
}

/**
 * Generations of a group beside its live one. They are read and written by the calls of the store that everything
 * else uses, with `generation` in the place; these are the calls between two of them. Each is one atomic step.
 */
export interface Generations {
  /**
   * Takes the lease of the live partition for the owner of a building generation, whoever holds it: the holder is
   * fenced. Refused while the generation is more than `most` events behind.
   */
  freeze(
    at: GroupPartition,
    building: Building,
    request: { readonly member: string; readonly leaseMs: number; readonly most: number },
  ): Promise<FreezeResult>

  /**
   * Puts states and timers of a building generation into the place of the live ones, its own firings behind the live
   * journal, and lets the live lease go. Parked and deferred lists, dead letters, effects and outbox stay: they are
   * true for both.
   */
  switchGeneration(
    at: GroupPartition,
    live: Pick<Lease, 'token' | 'n'>,
    building: Building,
  ): Promise<SwitchResult>

  /** Removes a building generation; `held` while a replay has its lease. `at` names it. May be repeated. */
  dropGeneration(at: GroupPartition): Promise<'dropped' | 'held'>

  /**
   * Records of keys, in no order; a key that is written meanwhile may come twice. A page may be shorter or longer than
   * its limit, and still have a next one. Default limit 500.
   */
  statesPage(at: GroupPartition, options?: PageOptions): Promise<Page<StateOfKey>>
}

/** Most timers that a building generation fires by itself in a partition. */
export const mostOwnFirings = 10_000

/** A group store with generations: what a replay needs. */
export interface GenerationStore extends GroupStore, Generations {}

/** Checks that a place names a building generation. */
export function assertBuilding({ generation = 0 }: Pick<GroupPartition, 'generation'>): void {
  if (!Number.isInteger(generation) || generation < 1)
    throw new TypeError('A generation beside the live one has a whole number from 1')
}
