import type { Page } from '@millrace/log'
import { digestOfData } from './check-rule.ts'
import { deadEffectOf, deadEffectPlace, effectFits } from './dead-effect.ts'
import type { EffectRuling, RecordedEffect } from './effect-ledger.ts'
import type { DeadEffect, EffectFilter, EffectRuleRequest, EffectRuleResult } from './effect-repairs.ts'
import type { PageOptions } from './group-partition.ts'
import { forgetSettled, leftTheDead, openEffects } from './memory-effects.ts'
import type { MemoryGroup } from './memory-group.ts'
import type { Overtaken } from './repairs.ts'
import { tellRuling } from './story/memory-stories.ts'

/** Rules in memory as effects-rule.lua does on Redis, in the same order. */
export function ruleEffectInMemory(
  group: MemoryGroup,
  request: EffectRuleRequest,
  { nowMs, most, remembered }: { nowMs: number; most: number; remembered: number },
): EffectRuleResult {
  const { id, idempotencyKey, kind, by, reason, payload, turn } = request
  const digest = digestOfData(payload)
  const text = group.effects.get(idempotencyKey)
  if (text === undefined) return { status: group.settledEffects.has(idempotencyKey) ? 'settled' : 'gone' }
  const effect = JSON.parse(text) as RecordedEffect
  const { key, seq, ruling } = effect
  if (ruling?.id === id) return { status: 'already' }
  if (effect.status !== 'dead') {
    const same = ruling?.kind === kind && ruling.digest === digest
    return same ? { status: 'already' } : { status: 'open', now: effect.status }
  }
  if (turn !== undefined && turn !== effect.turn) return { status: 'changed', turn: effect.turn }
  const overtaken = kind === 'ignored' ? undefined : overtakenBy(group, effect)
  if (overtaken && !request.force && !request.dryRun) return { status: 'overtaken', overtaken }
  const result: EffectRuleResult = { status: 'ruled', key, ...(overtaken ? { overtaken } : {}) }
  if (request.dryRun) return result
  group.repaired += 1
  const no = String(group.repaired)
  const entry = {
    no,
    id,
    seq,
    key,
    kind,
    on: 'effect',
    by,
    reason,
    atMs: nowMs,
    effect: idempotencyKey,
  } as const
  group.repairs.push({ ...entry, ...(overtaken ? { overtaken } : {}) })
  group.repairs.splice(0, group.repairs.length - most)
  tellRuling(group, { seq, kind, on: 'effect', by, reason, id, atMs: nowMs })
  group.effects.delete(idempotencyKey)
  leftTheDead(group, key)
  group.effectCounts.dead -= 1
  if (kind === 'ignored') {
    group.effectCounts.ignored += 1
    group.settledEffects.add(idempotencyKey)
    forgetSettled(group, remembered)
    return result
  }
  const original = ruling?.original ?? (kind === 'corrected' ? effect.payload : undefined)
  const decided: EffectRuling = {
    kind,
    by,
    reason,
    id,
    digest,
    atMs: nowMs,
    ...(original === undefined ? {} : { original }),
  }
  const back: RecordedEffect = {
    ...effect,
    status: 'pending',
    turn: effect.turn + 1,
    ruling: decided,
    payload: kind === 'corrected' ? JSON.stringify(payload) : effect.payload,
  }
  group.effects.set(idempotencyKey, JSON.stringify(back))
  group.requeuedEffects.add(idempotencyKey)
  group.effectCounts.pending += 1
  return result
}

function overtakenBy(group: MemoryGroup, { key, no }: RecordedEffect): Overtaken | undefined {
  const later = (group.passedEffects.get(key) ?? []).filter((one) => one > no)
  const [first] = later
  return first === undefined ? undefined : { count: later.length, first, last: later.at(-1) ?? first }
}

export function effectNamedInMemory(group: MemoryGroup, id: string): RecordedEffect | undefined {
  const text = group.effects.get(id)
  return text === undefined ? undefined : (JSON.parse(text) as RecordedEffect)
}

export function deadEffectsInMemory(
  group: MemoryGroup,
  { after, limit = 100, filter = {} }: PageOptions & { readonly filter?: EffectFilter },
): Page<DeadEffect> {
  const [atMs = -1, no = 0] = after?.split(' ').map(Number) ?? []
  const items = openEffects(group, 'dead')
    .map(deadEffectOf)
    .filter((item) => effectFits(item, filter))
    .filter((item) => item.atMs > atMs || (item.atMs === atMs && item.effect.no > no))
    .toSorted((a, b) => a.atMs - b.atMs || a.effect.no - b.effect.no)
    .slice(0, limit)
  const last = items.at(-1)
  return { items, next: items.length === limit && last ? deadEffectPlace(last) : undefined }
}

export function requeuedEffectsInMemory(group: MemoryGroup, limit: number): readonly RecordedEffect[] {
  return [...group.requeuedEffects]
    .flatMap((id) => effectNamedInMemory(group, id) ?? [])
    .toSorted((a, b) => a.no - b.no)
    .slice(0, limit)
}
