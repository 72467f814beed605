import { checkEffectChanges } from './check-effect-changes.ts'
import type { EffectChange, EffectChangeResult, OpenEffect, RecordedEffect } from './effect-ledger.ts'
import { mostPassed } from './effect-repairs.ts'
import type { MemoryGroup } from './memory-group.ts'
import { tellChanges } from './story/memory-stories.ts'

/** The open effects of a group that stand at a status. */
export function openEffects(group: MemoryGroup, status: OpenEffect): readonly RecordedEffect[] {
  return [...group.effects.values()]
    .map((text) => JSON.parse(text) as RecordedEffect)
    .filter((effect) => effect.status === status)
}

/** Makes changes of effects in memory, as the script on Redis does. */
export function changeInMemory(
  group: MemoryGroup,
  token: string,
  changes: readonly EffectChange[],
  remembered: number,
): 'fenced' | readonly EffectChangeResult[] {
  checkEffectChanges(changes)
  if (!group.isHeldBy(token)) return 'fenced'
  const results = changes.map((change) => changeOne(group, change))
  forgetSettled(group, remembered)
  tellChanges(group, changes, results)
  return results
}

/** Forgets the settled effects beyond those that are to be remembered. */
export function forgetSettled(group: MemoryGroup, remembered: number): void {
  for (const key of group.settledEffects) {
    if (group.settledEffects.size <= remembered) break
    group.settledEffects.delete(key)
  }
}

/** An effect is dead no more: when it was the last one of its key, nothing has passed that key. */
export function leftTheDead(group: MemoryGroup, key: string): void {
  if (!hasDead(group, key)) group.passedEffects.delete(key)
}

function hasDead(group: MemoryGroup, key: string): boolean {
  return group.effectCounts.dead > 0 && openEffects(group, 'dead').some((effect) => effect.key === key)
}

function notePassed(group: MemoryGroup, { key, no }: RecordedEffect): void {
  if (!hasDead(group, key)) return
  const passed = [...(group.passedEffects.get(key) ?? []), no].toSorted((a, b) => a - b)
  group.passedEffects.set(key, passed.slice(-mostPassed))
}

function changeOne(group: MemoryGroup, change: EffectChange): EffectChangeResult {
  const { idempotencyKey, turn, to, note } = change
  const text = group.effects.get(idempotencyKey)
  if (text === undefined) return group.settledEffects.has(idempotencyKey) ? 'already' : 'stale'
  const effect = JSON.parse(text) as RecordedEffect
  if (effect.turn !== turn) return effect.turn === turn + 1 && effect.status === to ? 'already' : 'stale'
  group.effectCounts[effect.status] -= 1
  group.effectCounts[to] += 1
  if (turn > 1 && to !== 'pending') group.requeuedEffects.delete(idempotencyKey)
  group.effects.delete(idempotencyKey)
  if (effect.status === 'dead') leftTheDead(group, effect.key)
  if (to === 'confirmed') notePassed(group, effect)
  if (to === 'confirmed' || to === 'ignored') group.settledEffects.add(idempotencyKey)
  else {
    const changed: RecordedEffect = { ...effect, status: to, turn: turn + 1, note: note ?? null }
    group.effects.set(idempotencyKey, JSON.stringify(changed))
  }
  return 'moved'
}
