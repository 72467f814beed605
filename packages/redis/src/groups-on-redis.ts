import type { Page } from '@millrace/log'
import {
  assertBuilding,
  type Building,
  type Commit,
  type CommitResult,
  type DeadLetter,
  type DeferredEvent,
  type DeferredList,
  type DueAnswer,
  type DueBy,
  type DueKey,
  type DueTimers,
  type EffectChange,
  type EffectChangeResult,
  type FreezeResult,
  type GenerationStore,
  type GroupAudit,
  type GroupPartition,
  type GroupStart,
  type GroupState,
  type JournalledFiring,
  type Lease,
  type MigratedKey,
  type OpenEffect,
  type OutboxEntry,
  type PageOptions,
  type ParkedKey,
  type RecordedEffect,
  type Renewal,
  type Ruling,
  type StateOfKey,
  type StoredKey,
  type SwitchResult,
} from '@millrace/processor'
import { auditGroup } from './audit.ts'
import { commitGroup } from './commit.ts'
import { confirmEffects } from './confirm.ts'
import { dueKeys, markDue, rulingsOf } from './due.ts'
import { removeForwarded } from './forwarded.ts'
import { dropBuilt, freezeLive, statesPage, switchToBuilt } from './generation.ts'
import { type GroupPlace, placeOf } from './group-place.ts'
import {
  deadLettersAfter,
  deferredOfKey,
  deferredPage,
  effectsPage,
  firingsPage,
  lookAtGroup,
  migrationsOf,
  outboxPage,
  parkedPage,
  timersDue,
} from './group-reads.ts'
import { acquireLease, releaseLease, renewLease } from './lease.ts'
import { loadKeys } from './load-keys.ts'
import { ShadowsOnRedis } from './shadows-on-redis.ts'

/** Groups on Redis, in the slot of their partition. The connection belongs to the caller. */
export class GroupsOnRedis extends ShadowsOnRedis implements GenerationStore {
  acquire(
    at: GroupPartition,
    member: string,
    leaseMs: number,
    start?: GroupStart,
  ): Promise<Lease | undefined> {
    const request = { member, leaseMs, now: this.server.now(), start }
    return this.write(at, (place) => acquireLease(place, request))
  }

  renew(at: GroupPartition, { token, n }: Pick<Lease, 'token' | 'n'>, leaseMs: number): Promise<Renewal> {
    return this.write(at, (place) => renewLease(place, { token, n, leaseMs, now: this.server.now() }))
  }

  commit(at: GroupPartition, commit: Commit): Promise<CommitResult> {
    return this.write(at, (place) => commitGroup(place, commit))
  }

  async seize(at: GroupPartition, member: string, leaseMs: number): Promise<Lease> {
    const request = { member, leaseMs, now: this.server.now(), start: undefined, seize: true }
    const lease = await this.write(at, (place) => acquireLease(place, request))
    if (lease === undefined) throw new TypeError('Bug: a lease that was seized is held')
    return lease
  }

  release(at: GroupPartition, token: string): Promise<'released' | 'fenced'> {
    return this.write(at, (place) => releaseLease(place, token))
  }

  look(at: GroupPartition): Promise<GroupState> {
    return this.read(at, lookAtGroup)
  }

  loadStates(at: GroupPartition, keys: readonly string[]): Promise<readonly StoredKey[]> {
    return this.read(at, (place) => loadKeys(place, keys))
  }

  migrations(at: GroupPartition, keys: readonly string[]): Promise<ReadonlyMap<string, MigratedKey>> {
    return this.read({ ...at, generation: 0 }, (place) => migrationsOf(place, keys))
  }

  parked(at: GroupPartition, options: PageOptions = {}): Promise<Page<ParkedKey>> {
    return this.read(at, (place) => parkedPage(place, options))
  }

  markDue(at: GroupPartition, key: string, parkNo: number, by: DueBy, nowMs: number): Promise<DueAnswer> {
    return this.write(at, (place) => markDue(place, { key, parkNo, by, nowMs }))
  }

  dueKeys(at: GroupPartition, nowMs: number, limit = 100): Promise<readonly DueKey[]> {
    return this.read(at, (place) => dueKeys(place, nowMs, limit))
  }

  rulings(at: GroupPartition, seqs: readonly number[]): Promise<ReadonlyMap<number, Ruling>> {
    return this.read(at, (place) => rulingsOf(place, seqs))
  }

  deferred(at: GroupPartition, key: string): Promise<readonly DeferredEvent[]> {
    return this.read(at, (place) => deferredOfKey(place, key))
  }

  deferredKeys(at: GroupPartition, options: PageOptions = {}): Promise<Page<DeferredList>> {
    return this.read(at, (place) => deferredPage(place, options))
  }

  deadLetters(
    at: GroupPartition,
    options: { after?: number; limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    return this.read(at, (place) => deadLettersAfter(place, options))
  }

  dueTimers(at: GroupPartition, nowMs: number, limit = 100): Promise<DueTimers> {
    return this.read(at, (place) => timersDue(place, nowMs, limit))
  }

  firings(
    at: GroupPartition,
    options: PageOptions & { readonly fromSeq?: number } = {},
  ): Promise<Page<JournalledFiring>> {
    return this.read(at, (place) => firingsPage(place, options))
  }

  outbox(at: GroupPartition, options: PageOptions = {}): Promise<Page<OutboxEntry>> {
    return this.read(at, (place) => outboxPage(place, options))
  }

  forwarded(at: GroupPartition, ids: readonly string[]): Promise<number> {
    return this.write(at, (place) => removeForwarded(place, ids))
  }

  pendingEffects(
    at: GroupPartition,
    options: PageOptions & { readonly status?: OpenEffect } = {},
  ): Promise<Page<RecordedEffect>> {
    return this.read(at, (place) => effectsPage(place, options))
  }

  confirmEffects(
    at: GroupPartition,
    token: string,
    changes: readonly EffectChange[],
  ): Promise<'fenced' | readonly EffectChangeResult[]> {
    return this.write(at, (place) => confirmEffects(place, token, changes, this.remembered))
  }

  audit(at: GroupPartition): Promise<GroupAudit> {
    return this.read(at, (place) => auditGroup(place, at.generation ?? 0))
  }

  freeze(
    at: GroupPartition,
    building: Building,
    request: { readonly member: string; readonly leaseMs: number; readonly most: number },
  ): Promise<FreezeResult> {
    const built = this.#built(at, building)
    return this.write(at, (place) =>
      freezeLive(place, built, building, { ...request, now: this.server.now() }),
    )
  }

  switchGeneration(
    at: GroupPartition,
    live: Pick<Lease, 'token' | 'n'>,
    building: Building,
  ): Promise<SwitchResult> {
    const built = this.#built(at, building)
    return this.write(at, (place) => switchToBuilt(place, built, live, building))
  }

  dropGeneration(at: GroupPartition): Promise<'dropped' | 'held'> {
    assertBuilding(at)
    return this.write(at, (place) => dropBuilt(place, this.server.now()))
  }

  statesPage(at: GroupPartition, options: PageOptions = {}): Promise<Page<StateOfKey>> {
    return this.read(at, (place) => statesPage(place, options))
  }

  #built(at: GroupPartition, building: Building): GroupPlace {
    assertBuilding(building)
    const { generation } = building
    return placeOf(this.server, { ...at, generation })
  }
}
