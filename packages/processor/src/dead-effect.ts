import type { RecordedEffect } from './effect-ledger.ts'
import type { DeadEffect, EffectFilter } from './effect-repairs.ts'

/** What the note of a dead effect says that it is listed by. The script on Redis reads the same. */
interface NoteFacts {
  readonly atMs?: unknown
  readonly fingerprint?: unknown
  readonly reason?: unknown
}

export function deadEffectOf(effect: RecordedEffect): DeadEffect {
  const note: NoteFacts =
    typeof effect.note === 'object' && effect.note !== null && !Array.isArray(effect.note) ? effect.note : {}
  return { effect, atMs: timeOf(note.atMs), reasonClass: classOf(note.fingerprint ?? note.reason) }
}

/** Whether a dead effect is what a filter asks for. */
export function effectFits({ effect, atMs, reasonClass }: DeadEffect, filter: EffectFilter): boolean {
  const { name, key, fromMs = atMs, untilMs = atMs } = filter
  return (
    (name ?? effect.name) === effect.name &&
    (key ?? effect.key) === effect.key &&
    (filter.reasonClass ?? reasonClass) === reasonClass &&
    fromMs <= atMs &&
    untilMs >= atMs
  )
}

/** The place of a dead effect in the list, as a page's `next` says it. */
export function deadEffectPlace({ atMs, effect }: DeadEffect): string {
  return `${atMs} ${effect.no}`
}

function timeOf(atMs: unknown): number {
  return typeof atMs === 'number' && atMs >= 0 && atMs < 1e15 ? Math.floor(atMs) : 0
}

// Fingerprints and codes are plain; what is not would be hard to ask for, and stands in one class.
function classOf(text: unknown): string {
  return typeof text === 'string' && /^[ -~]{1,200}$/.test(text) ? text : 'other'
}
