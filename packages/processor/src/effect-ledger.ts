import type { Page } from '@millrace/log'
import type { GroupPartition, PageOptions } from './group-partition.ts'
import type { Ruling } from './ruling.ts'
import type { NotedFact } from './story/story-fact.ts'

/** An action on the outside world that a commit records. */
export interface EffectToRecord {
  /** The same in every attempt and after every crash; printable, at most 512 characters. */
  readonly idempotencyKey: string
  /** Name of its definition. */
  readonly name: string
  readonly key: string
  /** The event that led to it; for a timer, the last event of the key before it. */
  readonly seq: number
  /** Counts the effects of one name in one delivery, from 0. */
  readonly ordinal: number
  /** JSON. */
  readonly payload: string
  readonly correlationId: string
  /** Id of the event that led to it. */
  readonly causationId: string
  readonly traceparent?: string
}

/** Where an effect stands while it is open. */
export type OpenEffect = 'pending' | 'parked' | 'dead'

/** An effect in the ledger. */
export interface RecordedEffect extends EffectToRecord {
  readonly status: OpenEffect
  /** Its place in the order of recording, from 1; kept when it is tried again. */
  readonly no: number
  /** Counts its changes, from 0. */
  readonly turn: number
  /** What the last change noted: attempts, an error. */
  readonly note: unknown
  /** What an operator has decided about it last. */
  readonly ruling?: EffectRuling
}

/** What an operator has decided about an effect that is open still; kept when it dies again. */
export interface EffectRuling extends Pick<Ruling, 'by' | 'reason' | 'atMs' | 'id' | 'digest'> {
  readonly kind: 'corrected' | 'requeued'
  /** JSON: the payload before it was corrected for the first time. */
  readonly original?: string
}

/** What has become of an effect. */
export interface EffectChange {
  readonly idempotencyKey: string
  /** The turn that the member saw: a change of another turn is not made. */
  readonly turn: number
  readonly to: OpenEffect | 'confirmed' | 'ignored'
  /** JSON to keep with it while it is open. */
  readonly note?: unknown
  /** What is told of it, if the change is made. */
  readonly fact?: NotedFact
}

/** How a change ended. */
export type EffectChangeResult =
  | 'moved'
  /** It was made before. */
  | 'already'
  /** The effect has changed since, or is not in the ledger. */
  | 'stale'

/** Effects of one group, from their recording by a commit until they are confirmed or ignored. */
export interface EffectLedger {
  /** Open effects in the order of recording. Default: the first 100 that are pending. */
  pendingEffects(
    at: GroupPartition,
    options?: PageOptions & { readonly status?: OpenEffect },
  ): Promise<Page<RecordedEffect>>

  /**
   * Says what has become of effects: each change is made or not on its own, all in one step. Needs the token. At most
   * 1,000, each effect once. May be repeated.
   */
  confirmEffects(
    at: GroupPartition,
    token: string,
    changes: readonly EffectChange[],
  ): Promise<'fenced' | readonly EffectChangeResult[]>
}
