import type { Overtaken, RuledOn, RuleResult } from '../repairs.ts'

/** What is to be done with an event that a group cannot process. */
export type RepairAction =
  /** It counts as done; its handler never sees it. */
  | { readonly do: 'ignore' }
  /** It is tried again as if for the first time. */
  | { readonly do: 'requeue' }
  /** It is tried again with these data, or with its own data under a JSON merge patch. The log keeps the original. */
  | { readonly do: 'edit'; readonly data: unknown }
  | { readonly do: 'edit'; readonly patch: unknown }
  /** It is tried again with the present state that its source of truth tells. */
  | { readonly do: 'refetch' }

/** Who orders a repair, why, and how far it may go. */
export interface RepairOrder {
  readonly by: string
  readonly reason: string
  /** Run dead letters late although later events of their keys are settled. */
  readonly force?: boolean
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean
  /** Names the order: the same order again does nothing twice. Default: a fresh one. At most 64 characters. */
  readonly id?: string
}

/** What has become of one event. */
export interface RepairOutcome {
  readonly partition: number
  readonly seq: number
  readonly key: string
  /** As the store says; `invalid`: its correction breaks the schema; `failed`: its source gave none. */
  readonly status: RuleResult['status'] | 'invalid' | 'failed'
  readonly on?: RuledOn
  readonly overtaken?: Overtaken
  /** Why not, in words. */
  readonly message?: string
  /** Code of the error behind `invalid` and `failed`. */
  readonly code?: string
  /** Events in line that the present state has superseded. */
  readonly superseded?: number
}
