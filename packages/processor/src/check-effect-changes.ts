import type { EffectChange } from './effect-ledger.ts'

/** Checks a call of `confirmEffects`, which every adapter does. Throws a TypeError: a mistake in code. */
export function checkEffectChanges(changes: readonly EffectChange[]): void {
  if (changes.length > 1_000) throw new TypeError('At most 1,000 effects can change at once')
  if (new Set(changes.map(({ idempotencyKey }) => idempotencyKey)).size !== changes.length)
    throw new TypeError('An effect can change once at a time')
}
