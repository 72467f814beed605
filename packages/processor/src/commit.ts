import { MillraceError } from '@millrace/event'
import type { DeadLetter } from './dead-letter.ts'
import type { DeferredList } from './deferred-event.ts'
import type { EffectToRecord } from './effect-ledger.ts'
import type { Reached } from './group-partition.ts'
import type { Firing, TimerSetting } from './key-timer.ts'
import type { MigratedKey } from './migrated-key.ts'
import type { OutboxDraft } from './outbox.ts'
import type { LineGrowth, Park, Unpark } from './parked-key.ts'
import type { HeededRuling, LateRun } from './ruling.ts'
import type { StateChange } from './stored-state.ts'
import type { NotedFact, SettledMark } from './story/story-fact.ts'

/**
 * What a member has settled since its last commit. What it says of a key (state, park record, deferred list) is the
 * whole of it after this commit; a key that it does not name stays as it is.
 */
export interface Commit {
  readonly token: string
  /** The last commit's number + 1. */
  readonly n: number
  readonly position: Reached
  /** All that is settled beyond the position, not only what is new; ascending. */
  readonly ahead: readonly number[]
  /** Letters that no commit has carried yet. */
  readonly dead: readonly DeadLetter[]
  /**
   * How many events this commit makes done; dropped, ignored and not for this group count as done. It must fit all
   * other parts, and nothing that was settled may be left out of `ahead`. Absent: whatever the other parts leave over.
   */
  readonly done?: number
  readonly states?: readonly StateChange[]
  /** Keys that are taken over from another system with it: once each. */
  readonly migrations?: readonly MigratedKey[]
  readonly parks?: readonly Park[]
  readonly unparks?: readonly Unpark[]
  readonly lines?: readonly LineGrowth[]
  readonly defers?: readonly DeferredList[]
  /** Requeued letters that it settles: done, or dead again with a letter of their own; ascending. */
  readonly late?: readonly number[]
  /** Where those of `late` came that were handled: all but those that are dead again. */
  readonly lateRuns?: readonly LateRun[]
  /** Events of lines that it settles. Of such an event the ruling stands that it was handled under, if any. */
  readonly heeded?: readonly HeededRuling[]
  readonly outbox?: readonly OutboxDraft[]
  /** In the order in which those of one key are to be carried out. */
  readonly effects?: readonly EffectToRecord[]
  /** Effects that are recorded and not carried out. */
  readonly withheld?: readonly EffectToRecord[]
  /** Timers to set, move or cancel. After the firings of the same commit. */
  readonly timers?: readonly TimerSetting[]
  /** Stored timers whose firing this commit settles, in order. */
  readonly firings?: readonly Firing[]
  /** What became of events, as it is to be told; at most 2,000. Not kept of what was ordinary. */
  readonly facts?: readonly NotedFact[]
  /** Marks the position with who moved it, and when: what became of ordinary events is told by that. */
  readonly settled?: SettledMark
}

/** How a commit ended. */
export type CommitResult =
  /**
   * `numbers`: of each outbox draft, the number of its first event in its channel; 0 where the commit itself has
   * appended it to its topic, so that it never was in the outbox.
   */
  | { readonly status: 'committed'; readonly numbers: readonly number[] }
  /** This token has committed this number before. The numbers of its outbox are in the outbox. */
  | { readonly status: 'already' }
  | { readonly status: 'fenced' }

/** Why a commit does not fit what is stored. */
export type CommitFault =
  /** The group is at a later position: `seq`. */
  | 'backwards'
  /** The log ends at `seq`. */
  | 'beyond'
  /** The log has another event at `seq`, or none. */
  | 'other'
  /** `seq` was settled before and is not named any more. */
  | 'forgotten'
  /** Head or last of a parked key would move back; or the line goes on to `seq`, behind what `unparks` names. */
  | 'line'
  /** A key is unparked, or has a longer line, that is not parked. */
  | 'unparked'
  /** Event `seq` is settled late, and is not requeued. */
  | 'late'
  /** A timer fires that is not set, or set to another time. */
  | 'timer'
  /** The parts make `seq` events done, not what `done` says. */
  | 'balance'
  /** A key was taken over before. */
  | 'migrated'

/** The error of a commit that does not fit what is stored; `details.fault` is the word. */
export function commitRefused(fault: CommitFault, seq: number, id: string): MillraceError {
  return new MillraceError('commit.refused', reasons[fault](seq, id), { details: { fault, seq } })
}

const reasons: Readonly<Record<CommitFault, (seq: number, id: string) => string>> = {
  backwards: (seq, id) => `The group is at ${seq}; ${id} would be a step back`,
  beyond: (seq, id) => `The log ends at ${seq}; ${id}, or what is ahead of it, is beyond it`,
  other: (_, id) => `The log has no event ${id}`,
  forgotten: (seq) => `Event ${seq} was settled before and is not named any more`,
  line: (seq) => `The line of a parked key goes on to ${seq}`,
  unparked: () => 'A key is unparked, or has a longer line, that is not parked',
  late: (seq) => `Event ${seq} is settled late, and is not requeued`,
  timer: () => 'A timer fires that is not set, or set to another time',
  balance: (seq) => `The parts of the commit make ${seq} events done`,
  migrated: (seq) => `A key was taken over before, not with event ${seq}`,
}
