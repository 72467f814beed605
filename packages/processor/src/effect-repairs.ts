import type { Page } from '@millrace/log'
import type { OpenEffect, RecordedEffect } from './effect-ledger.ts'
import type { GroupPartition, PageOptions } from './group-partition.ts'
import type { Overtaken } from './repairs.ts'
import type { Ruling } from './ruling.ts'

/** What an operator decides about one dead effect. */
export interface EffectRuleRequest {
  /** Names this decision: a repeat of it is answered `already`. Printable, at most 128 characters. */
  readonly id: string
  readonly idempotencyKey: string
  readonly kind: Ruling['kind']
  /** Who decides: 1 to 200 characters. */
  readonly by: string
  /** Why: 1 to 1,000 characters. */
  readonly reason: string
  /** With `corrected`: the payload to carry it out with. The caller has checked it against the effect's schema. */
  readonly payload?: unknown
  /** The turn that the operator saw: refused with `changed` when it has another one by now. */
  readonly turn?: number
  /** Carry it out although later effects of its key were. */
  readonly force?: boolean
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean
}

/** How a ruling on an effect ended. Only `ruled` has changed anything. */
export type EffectRuleResult =
  /** `overtaken`: places in the order of recording of later effects of its key that were carried out meanwhile. */
  | { readonly status: 'ruled'; readonly key: string; readonly overtaken?: Overtaken }
  /** It was made before, and waits to be carried out or was. */
  | { readonly status: 'already' }
  /** Later effects of its key were carried out since it died: to do it now needs force. */
  | { readonly status: 'overtaken'; readonly overtaken: Overtaken }
  /** It has changed since the operator looked. */
  | { readonly status: 'changed'; readonly turn: number }
  /** It is not dead: its owner carries it out by itself. */
  | { readonly status: 'open'; readonly now: OpenEffect }
  /** It was carried out or ignored by now. */
  | { readonly status: 'settled' }
  /** It is not in the ledger: never recorded, or settled so long ago that nobody remembers. */
  | { readonly status: 'gone' }

/** A dead effect in the list. */
export interface DeadEffect {
  readonly effect: RecordedEffect
  /** When it died, in ms since the epoch; 0 where its note does not say. */
  readonly atMs: number
  /** Groups errors of one cause. */
  readonly reasonClass: string
}

/** Which dead effects to answer; all that is said must hold. */
export interface EffectFilter {
  /** Name of its definition. */
  readonly name?: string
  readonly key?: string
  readonly reasonClass?: string
  /** Died at this time or later, in ms since the epoch. */
  readonly fromMs?: number
  /** Died at this time or before, in ms since the epoch. */
  readonly untilMs?: number
}

/** Most effects of a key that are remembered as carried out while an earlier one is dead: counts end there. */
export const mostPassed = 100

/** Repairs of effects that could not be carried out. See docs/state-machines.md. */
export interface EffectRepairs {
  /**
   * Decides about a dead effect: ledger, counters, list for its owner and audit entry in one step. Needs no token. May
   * be repeated.
   *
   * @throws TypeError when the request breaks its own rules: a mistake in code
   */
  ruleEffect(at: GroupPartition, request: EffectRuleRequest): Promise<EffectRuleResult>

  /** An effect that is open; undefined: it is settled, or was never recorded. */
  effectNamed(at: GroupPartition, idempotencyKey: string): Promise<RecordedEffect | undefined>

  /**
   * Dead effects, those that died first before others. A page may be shorter than its limit, even empty, and still
   * have a next one: a call looks at 20 times its limit at most. Default limit 100.
   */
  deadEffects(
    at: GroupPartition,
    options?: PageOptions & { readonly filter?: EffectFilter },
  ): Promise<Page<DeadEffect>>

  /** Effects that operators have put back and that are not settled since, in the order of recording. Default 100. */
  requeuedEffects(at: GroupPartition, limit?: number): Promise<readonly RecordedEffect[]>
}
