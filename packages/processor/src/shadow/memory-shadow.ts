import { MillraceError } from '@millrace/event'
import type { Page } from '@millrace/log'
import type { EffectToRecord, RecordedEffect } from '../effect-ledger.ts'
import type { GroupPartition, PageOptions } from '../group-partition.ts'
import type { MemoryGroup } from '../memory-group.ts'
import { pageOf } from '../memory-pages.ts'
import type { RepairEntry } from '../repairs.ts'
import type { StoredState } from '../stored-state.ts'
import { droppedRecord, isDropped } from './dropped-mark.ts'
import { migrationsInMemory } from '../memory-migrations.ts'
import type { MigratedKey } from '../migrated-key.ts'
import { type MemoryGiven, MemoryGenerations } from '../replay/memory-generations.ts'
import { mostShadowKeys, type ShadowRecord } from './shadow-record.ts'
import {
  checkOrdered,
  type Ordered,
  type ShadowChange,
  type ShadowStore,
  type StateDrop,
  type StateDropResult,
  type WithheldEffect,
  type WithheldRequest,
  type WithheldResult,
} from './shadow-store.ts'

/** A group's side of running beside another system, in memory. */
export class MemoryShadow extends MemoryGenerations implements ShadowStore {
  readonly #given: MemoryGiven

  constructor(given: MemoryGiven) {
    super(given)
    this.#given = given
  }

  async migrations(at: GroupPartition, keys: readonly string[]): Promise<ReadonlyMap<string, MigratedKey>> {
    return migrationsInMemory(this.#live(at), keys)
  }

  async shadow(at: GroupPartition): Promise<ShadowRecord> {
    return copyOf(this.#live(at).shadow)
  }

  async setShadow(at: GroupPartition, change: ShadowChange): Promise<ShadowRecord> {
    checkOrdered(change)
    const group = this.#live(at)
    const { no, percent, keys } = group.shadow
    const next = new Map(keys)
    for (const { key, promoted } of change.keys ?? [])
      if (promoted === undefined) next.delete(key)
      else next.set(key, promoted)
    if (next.size > mostShadowKeys) throw crowded()
    group.shadow = { no: no + 1, percent: change.percent ?? percent, keys: next }
    const { keys: named = [] } = change
    const kind = (change.percent ?? 0) > 0 || named[0]?.promoted === true ? 'promoted' : 'demoted'
    const key = named.length === 1 ? (named[0]?.key ?? '') : ''
    this.#note(group, change, { kind, key, on: 'shadow' })
    return copyOf(group.shadow)
  }

  async withheldEffects(at: GroupPartition, options: PageOptions = {}): Promise<Page<WithheldEffect>> {
    const all = [...this.#live(at).withheld.values()].map((text) => JSON.parse(text) as WithheldEffect)
    return pageOf(all, ({ no }) => no, options)
  }

  async settleWithheld(at: GroupPartition, request: WithheldRequest): Promise<readonly WithheldResult[]> {
    checkOrdered(request)
    const group = this.#live(at)
    const results = request.ids.map((id): WithheldResult => {
      const text = group.withheld.get(id)
      if (text === undefined || group.effects.has(id) || group.settledEffects.has(id)) return 'gone'
      group.withheld.delete(id)
      group.effectCounts.withheld -= 1
      if (request.to === 'ignored') group.effectCounts.ignored += 1
      else release(group, JSON.parse(text) as WithheldEffect, { ...request, atMs: this.#now() })
      return 'moved'
    })
    if (results.includes('moved')) this.#note(group, request, { kind: request.to, key: '', on: 'withheld' })
    return results
  }

  async keepMigration(at: GroupPartition, entry: MigratedKey): Promise<'kept' | 'known'> {
    const group = this.#live(at)
    if (group.states.has(entry.key) || group.migrations.has(entry.key)) return 'known'
    group.migrations.set(entry.key, JSON.stringify(entry))
    return 'kept'
  }

  async dropStates(at: GroupPartition, token: string, drop: StateDrop): Promise<StateDropResult> {
    checkOrdered(drop)
    const group = this.#live(at)
    if (!group.isHeldBy(token)) return { status: 'fenced' }
    let records = 0
    let migrations = 0
    for (const key of drop.keys) {
      const text = group.states.get(key)
      const stored = text === undefined ? undefined : (JSON.parse(text) as StoredState)
      if (stored && !isDropped(stored)) {
        group.states.set(key, JSON.stringify(droppedRecord(key, stored.seq)))
        records += 1
      }
      if (drop.history && group.migrations.delete(key)) migrations += 1
    }
    for (const { key, name } of drop.timers) group.timers.delete(JSON.stringify([key, name]))
    if (drop.logged) this.#note(group, drop, { kind: 'dropped', key: drop.named, on: 'state' })
    return { status: 'dropped', records, migrations }
  }

  /** All of it belongs to the group, not to a generation. */
  #live(at: GroupPartition): MemoryGroup {
    return this.#given.groups.of({ ...at, generation: 0 })
  }

  #now(): number {
    return this.#given.clock.now()
  }

  #note(group: MemoryGroup, { by, reason }: Ordered, said: Pick<RepairEntry, 'kind' | 'key' | 'on'>): void {
    group.repaired += 1
    group.repairs.push({ ...said, no: String(group.repaired), id: '', seq: 0, by, reason, atMs: this.#now() })
  }
}

/** Records effects that are not to be carried out, as a commit says. */
export function recordWithheld(group: MemoryGroup, effects: readonly EffectToRecord[], most: number): void {
  const { effectCounts: counts, withheld } = group
  for (const effect of effects) {
    const { idempotencyKey: id } = effect
    if (group.effects.has(id) || group.settledEffects.has(id) || withheld.has(id)) continue
    counts.recorded += 1
    counts.withheld += 1
    withheld.set(id, JSON.stringify({ ...effect, no: counts.recorded }))
  }
  for (const id of withheld.keys()) {
    if (withheld.size <= most) break
    withheld.delete(id)
    counts.forgotten += 1
  }
}

// As after three turns: recorded, withheld, released. Those that were put back have at least two behind them.
function release(
  group: MemoryGroup,
  { no, ...effect }: WithheldEffect,
  { by, reason, atMs }: Ordered & { readonly atMs: number },
): void {
  const ruling = { atMs, id: '', digest: '', kind: 'requeued', by, reason } as const
  const recorded: RecordedEffect = { ...effect, status: 'pending', no, turn: 2, note: null, ruling }
  group.requeuedEffects.add(effect.idempotencyKey)
  group.effects.set(effect.idempotencyKey, JSON.stringify(recorded))
  group.effectCounts.pending += 1
}

function copyOf({ no, percent, keys }: ShadowRecord): ShadowRecord {
  return { no, percent, keys: new Map(keys) }
}

function crowded(): MillraceError {
  return new MillraceError('shadow.crowded', `At most ${mostShadowKeys} keys of a partition by name`)
}
