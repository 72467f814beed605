import type { Page } from '@millrace/log'
import type { DeadCounts, DeadFilter, DeadItem } from './dead-item.ts'
import type { GroupPartition, PageOptions } from './group-partition.ts'
import type { RequeuedEvent, Ruling } from './ruling.ts'

/** What an operator decides about one event of a group. */
export interface RuleRequest {
  /** Names this decision: a repeat of it says the same, and is answered `already`. Printable, at most 128 characters. */
  readonly id: string
  readonly seq: number
  readonly key: string
  readonly kind: Ruling['kind']
  /** Who decides: 1 to 200 characters. */
  readonly by: string
  /** Why: 1 to 1,000 characters. */
  readonly reason: string
  /** With `corrected`: the data that the handler is to see. The caller has checked it against the schema. */
  readonly data?: unknown
  /** Number of the head that the operator saw: refused with `changed` when the key has another one by now. */
  readonly parkNo?: number
  /** Run a dead letter late although later events of its key are settled. */
  readonly force?: boolean
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean
}

/** Events of a key that were settled after an event that could not be. */
export interface Overtaken {
  readonly count: number
  /** Sequence numbers of the first and the last of them. */
  readonly first: number
  readonly last: number
}

/** Where an event was when it was ruled on: the head of a parked key, in line behind one, a dead letter. */
export type RuledOn = 'head' | 'line' | 'dead'

/** How a ruling ended. Only `ruled` has changed anything. */
export type RuleResult =
  | { readonly status: 'ruled'; readonly on: RuledOn; readonly overtaken?: Overtaken }
  /** It was made before, and waits to be carried out or was. */
  | { readonly status: 'already' }
  /** Later events of its key are settled: it would run late, which needs force. */
  | { readonly status: 'overtaken'; readonly overtaken: Overtaken }
  /** It waits for its late run under another ruling. */
  | { readonly status: 'pending'; readonly kind: Ruling['kind'] }
  /** The key has another head, of this number. */
  | { readonly status: 'changed'; readonly parkNo: number }
  /** It is neither parked nor a dead letter: settled, or never there. */
  | { readonly status: 'gone' }

/** What of a group's structures is to be made anew: lists that are derived from others, or the counters. */
export type MendPart = 'indexes' | 'counters'

/** Who orders structures to be mended, and why. */
export interface MendRequest {
  readonly part: MendPart
  readonly by: string
  readonly reason: string
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean
}

/** How mending ended. */
export type MendResult =
  /** `moreDone`: by how many more events are done than before; with counters, lost events are done then. */
  | { readonly status: 'mended'; readonly moreDone: number }
  /** There are too many items for one step. Nothing was done. */
  | { readonly status: 'large'; readonly items: number }

/** A line of the audit log: who has decided what, when and why. */
export interface RepairEntry {
  /** Its place in the log; later entries have higher ones. */
  readonly no: string
  /** Id of the request. */
  readonly id: string
  readonly seq: number
  readonly key: string
  readonly kind: Ruling['kind'] | 'mended' | 'promoted' | 'demoted' | 'released' | 'dropped'
  readonly on: RuledOn | 'effect' | MendPart | 'shadow' | 'withheld' | 'state'
  readonly by: string
  readonly reason: string
  readonly atMs: number
  readonly overtaken?: Overtaken
  /** Idempotency key of the effect that it is about; `overtaken` counts effects then. */
  readonly effect?: string
}

/** Repairs of one group: what cannot be processed, and what operators decide about it. See docs/state-machines.md. */
export interface Repairs {
  /**
   * Decides about the head of a parked key, an event in its line, or a dead letter: ruling, audit entry, due mark and
   * counters in one step. Needs no token. May be repeated.
   *
   * @throws TypeError when the request breaks its own rules: a mistake in code
   */
  rule(at: GroupPartition, request: RuleRequest): Promise<RuleResult>

  /**
   * Dead letters and keys that wait for an operator, those that were given up first before others. A page may be
   * shorter than its limit, even empty, and still have a next one: a call looks at 20 times its limit at most.
   * Default limit 100.
   */
  deadItems(
    at: GroupPartition,
    options?: PageOptions & { readonly filter?: DeadFilter },
  ): Promise<Page<DeadItem>>

  /** How many there are, by class and by type. */
  deadCounts(at: GroupPartition): Promise<DeadCounts>

  /** Dead letters that wait for their late run, in the order of the log. Default limit 100. */
  requeued(at: GroupPartition, options?: PageOptions): Promise<Page<RequeuedEvent>>

  /**
   * Makes indexes anew from the records that they list, or counters from what lies in the structures: in one step, on
   * a group that works. What was lost is not brought back: counters take what is there for true.
   */
  mend(at: GroupPartition, request: MendRequest): Promise<MendResult>

  /** The audit log, latest entries first; it keeps the last 100,000 of a partition. Default limit 100. */
  repairEntries(at: GroupPartition, options?: PageOptions): Promise<Page<RepairEntry>>
}
