import { channel } from 'node:diagnostics_channel'
import type { CommitFigures } from './commit-figures.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { Reached } from './group-store.ts'
import type { EffectNews } from './engine/effect-news.ts'
import type { MemberNews } from './members/member-news.ts'

/** Why a member's work on a partition ended. See docs/state-machines.md. */
export type EndReason = 'stop' | 'moved' | 'lost' | 'fault' | 'restart'

/** What a consumer tells of itself. */
export type ConsumerEvent = {
  readonly topic: string
  readonly group: string
  readonly member: string
} & ConsumerNews

/** The part that differs. */
export type ConsumerNews =
  | { readonly kind: 'leased'; readonly partition: number; readonly position: Reached }
  /** The group had a record already and goes on from it: where it was told to begin is not heeded. */
  | { readonly kind: 'start-ignored'; readonly partition: number; readonly position: Reached }
  | {
      readonly kind: 'ended'
      readonly partition: number
      readonly reason: EndReason
      readonly error?: unknown
    }
  /** A commit came back. `settled` counts the deliveries in it; `lag` events lie behind the position. */
  | {
      readonly kind: 'progress'
      readonly partition: number
      readonly position: Reached
      readonly settled: number
      readonly lag: number
      /** Only when somebody listens on the diagnostics channel. */
      readonly figures?: CommitFigures
    }
  /** A commit was refused, because another member has the partition by now. */
  | { readonly kind: 'fenced'; readonly partition: number }
  | {
      readonly kind: 'retry'
      readonly partition: number
      readonly seq: number
      readonly attempts: number
      readonly delayMs: number
      readonly error: unknown
    }
  | { readonly kind: 'dead'; readonly partition: number; readonly letter: DeadLetter }
  /** What an event needs was missing, and `onUnmet` of its type says that it is done by that. */
  | {
      readonly kind: 'ignored'
      readonly partition: number
      readonly key: string
      readonly seq: number
      readonly type: string
      /** What was missing. */
      readonly why: string
    }
  /** A commit has settled a dead letter that was put back: behind event `afterSeq` of its key, as the journal says. */
  | {
      readonly kind: 'late'
      readonly partition: number
      readonly key: string
      readonly seq: number
      readonly afterSeq: number
    }
  /** A key waits, with everything that comes for it, for its first event to be tried again or repaired. */
  | {
      readonly kind: 'parked'
      readonly partition: number
      readonly key: string
      readonly seq: number
      /** When it is tried again, in ms since the epoch; absent: it waits for an operator. */
      readonly dueMs?: number
      readonly error: unknown
    }
  | EffectNews
  /** Log or store could not be reached, or refused; it is tried again. */
  | { readonly kind: 'trouble'; readonly partition?: number; readonly error: unknown }
  /** Lag without progress: the lease is not renewed while this lasts. */
  | { readonly kind: 'stalled'; readonly partition: number; readonly sinceMs: number }
  | { readonly kind: 'paused' | 'resumed' }
  | MemberNews

/** Name of the diagnostics channel that every {@link ConsumerEvent} is published on. */
export const consumerChannel = 'millrace.consumer'

const diagnostics = channel(consumerChannel)

/** Whether anybody listens on the diagnostics channel: what only meters want is not made otherwise. */
export function consumerHeard(): boolean {
  return diagnostics.hasSubscribers
}

/** Tells a consumer's own observer and whoever has subscribed to the channel. */
export function tell(event: ConsumerEvent, observe: ((event: ConsumerEvent) => void) | undefined): void {
  observe?.(event)
  if (diagnostics.hasSubscribers) diagnostics.publish(event)
}
