import type { EffectToRecord, RecordedEffect } from '../effect-ledger.ts'
import { cut, type FailureFacts, factsOf } from '../failure-facts.ts'
import { mostTries, type ParkTry } from '../parked-key.ts'

/** An effect that a member has in hand. */
export interface WaitingEffect extends EffectToRecord {
  /** Of the last change that the ledger was told of. */
  turn: number
  /** Its number in the ledger; absent: a commit of this member has recorded it, so it is later than all that have one. */
  readonly no?: number
  /** In the order in which they came to this member. */
  readonly place: number
  /** Counts the attempts that its limit knows of. */
  attempt: number
  /** Failures so far, counted or not: pauses grow by them. */
  failures: number
  /** Under way, or in the pause before its next attempt: it is in no line. */
  busy: boolean
  /** When the attempt that is under way began, in ms since the epoch. */
  begunMs: number
  /** The last failed attempts, also those before an operator put it back. */
  tries: readonly ParkTry[]
}

/** What the ledger keeps with an effect that has failed and is to be tried again: the next owner counts on. */
export interface FailedEffectNote {
  /** Attempts that its limit knows of, since it was recorded or put back. */
  readonly counted: number
  /** The last of them, earliest first. */
  readonly tries: readonly ParkTry[]
}

/** What the ledger keeps with an effect that is dead. */
export interface EffectNote extends FailureFacts {
  /** When it was given up, in ms since the epoch. */
  readonly atMs: number
  /** Attempts since it was recorded or put back. */
  readonly attempts: number
  /** The last of them, earliest first. */
  readonly tries: readonly ParkTry[]
}

export function waitingOf(
  effect: EffectToRecord | RecordedEffect,
  turn: number,
  place: number,
): WaitingEffect {
  const note = 'note' in effect ? effect.note : undefined
  const failures = countedIn(note)
  return {
    ...effect,
    ...{ turn, place, failures, attempt: failures + 1, tries: triesOf(note), busy: false, begunMs: 0 },
  }
}

/** An attempt has failed. */
export function noteFailure(
  effect: WaitingEffect,
  error: unknown,
  { member, nowMs }: { readonly member: string; readonly nowMs: number },
): void {
  const { reason, message } = factsOf(error)
  const { begunMs } = effect
  const tried = { atMs: begunMs, tookMs: nowMs - begunMs, member, error: cut(`${reason}: ${message}`, 300) }
  effect.tries = [...effect.tries, tried].slice(-mostTries)
}

/** What is kept of an effect whose last attempt has failed and counts. */
export function noteOfFailed({ attempt, tries }: WaitingEffect): FailedEffectNote {
  return { counted: attempt, tries }
}

/** What is kept of an effect that died of an error. */
export function deathOf({ attempt, tries }: WaitingEffect, error: unknown, nowMs: number): EffectNote {
  return { atMs: nowMs, attempts: attempt, tries, ...factsOf(error) }
}

/** What a note in the ledger says, as far as it is one of ours. */
export function effectNoteOf(note: unknown): Partial<EffectNote> {
  return typeof note === 'object' && note !== null ? note : {}
}

function triesOf(note: unknown): readonly ParkTry[] {
  const { tries } = effectNoteOf(note)
  return Array.isArray(tries) ? (tries as readonly ParkTry[]) : []
}

/** An effect that died and was put back begins anew: the note of its death has no such number. */
function countedIn(note: unknown): number {
  if (typeof note !== 'object' || note === null || !('counted' in note)) return 0
  return typeof note.counted === 'number' ? note.counted : 0
}
