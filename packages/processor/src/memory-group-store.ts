import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '@millrace/event'
import type { EventLog, Page } from '@millrace/log'
import type { DueAnswer, DueBy } from '@millrace/retry'
import { checkCommit } from './check-commit.ts'
import type { Commit, CommitResult } from './commit.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { DeferredEvent, DeferredList } from './deferred-event.ts'
import type { EffectChange, EffectChangeResult, OpenEffect, RecordedEffect } from './effect-ledger.ts'
import type { GroupAudit } from './group-audit.ts'
import {
  type GroupPartition,
  type GroupStart,
  type GroupState,
  type GroupStore,
  type Lease,
  type PageOptions,
  type Reached,
  type Renewal,
  type StoredKey,
} from './group-store.ts'
import type { DueTimers, JournalledFiring, KeyTimer } from './key-timer.ts'
import { auditInMemory } from './memory-audit.ts'
import { nearTo } from './memory-at-once.ts'
import { commitInMemory, deferredOf, parkedOf, type Seen } from './memory-commit.ts'
import { dueInMemory, markDueInMemory, rulingsInMemory } from './memory-due.ts'
import { changeInMemory, openEffects } from './memory-effects.ts'
import type { MemoryGroup } from './memory-group.ts'
import { MemoryGroups } from './memory-groups.ts'
import { pageOf } from './memory-pages.ts'
import { firingsInMemory } from './memory-journal.ts'
import { leaseInMemory } from './memory-lease.ts'
import { mendInMemory } from './memory-mend.ts'
import { forwardInMemory, outboxInMemory } from './memory-outbox.ts'
import type { OutboxEntry } from './outbox.ts'
import type { GenerationStore } from './replay/generations.ts'
import { MemoryShadow } from './shadow/memory-shadow.ts'
import type { ParkedKey } from './parked-key.ts'
import type { MendRequest, MendResult } from './repairs.ts'
import { RepairsInMemory } from './repairs-in-memory.ts'
import type { DueKey, Ruling } from './ruling.ts'
import type { StoredState } from './stored-state.ts'
import type { Stories } from './story/stories.ts'

/** Options of {@link createMemoryGroupStore}. */
export interface MemoryGroupStoreOptions {
  /** The log that the positions lie on. */
  readonly log: Pick<EventLog, 'tips' | 'readAt' | 'readKey'>
  /**
   * Where commits append emitted events themselves, if they may: the log in memory, whose calls write before they
   * return. Default: nowhere; all go through the outbox.
   */
  readonly atOnce?: Pick<EventLog, 'appendChannel' | 'channel'>
  readonly clock?: Clock
  /** How many confirmed and ignored effects are remembered. Default 10,000. */
  readonly effectsRemembered?: number
  /** How many withheld effects of a partition are kept. Default 10,000. */
  readonly withheldKept?: number
  /** Makes the part of a token that nobody can guess. Default: 8 random bytes. */
  readonly nonce?: () => string
}

/** Makes an empty group store in memory, with the same promises as the one on Redis but durability. */
export function createMemoryGroupStore(options: MemoryGroupStoreOptions): GenerationStore & Stories {
  return new InMemoryGroupStore(options)
}

// What is asked of the log is asked first: from there on each method runs without a pause, as one step.
class InMemoryGroupStore extends MemoryShadow implements GenerationStore {
  readonly #log: MemoryGroupStoreOptions['log']
  readonly #atOnce: MemoryGroupStoreOptions['atOnce']
  readonly #clock: Clock
  readonly #remembered: number
  readonly #nonce: () => string
  readonly #groups: MemoryGroups
  readonly #repairs: RepairsInMemory

  constructor(options: MemoryGroupStoreOptions) {
    const { log, clock = systemClock, nonce = systemNonce } = options
    const groups = new MemoryGroups(clock, options.withheldKept)
    super({ groups, log, clock, nonce })
    this.#groups = groups
    this.#log = log
    this.#atOnce = options.atOnce
    this.#clock = clock
    this.#remembered = options.effectsRemembered ?? 10_000
    this.#repairs = new RepairsInMemory(groups, log, clock, this.#remembered)
    this.#nonce = nonce
  }

  async acquire(
    at: GroupPartition,
    member: string,
    leaseMs: number,
    start?: GroupStart,
  ): Promise<Lease | undefined> {
    const seen = await this.#see(at, start)
    const group = this.#group(at)
    const nowMs = this.#clock.now()
    if (nowMs < group.untilMs && group.member !== member) return undefined
    return leaseInMemory(group, member, { ...seen, start, untilMs: nowMs + leaseMs, nonce: this.#nonce() })
  }

  async seize(at: GroupPartition, member: string, leaseMs: number): Promise<Lease> {
    const seen = await this.#see(at)
    const untilMs = this.#clock.now() + leaseMs
    const given = { ...seen, start: undefined, untilMs, nonce: this.#nonce() }
    return leaseInMemory(this.#group(at), member, given)
  }

  async renew(at: GroupPartition, lease: Pick<Lease, 'token' | 'n'>, leaseMs: number): Promise<Renewal> {
    const { tip } = await this.#see(at)
    const group = this.#group(at)
    if (!group.isHeldBy(lease.token) || group.n !== lease.n) return { status: 'fenced' }
    group.untilMs = this.#clock.now() + leaseMs
    return { status: 'renewed', tip }
  }

  async commit(at: GroupPartition, commit: Commit): Promise<CommitResult> {
    checkCommit(commit)
    const seen = await this.#see(at, commit.position)
    const near = await nearTo(this.#atOnce, at, commit)
    const result = this.told(at, commit, seen.tip, commitInMemory(this.#group(at), commit, seen, near))
    await near.written()
    return result
  }

  async release(at: GroupPartition, token: string): Promise<'released' | 'fenced'> {
    const group = this.#group(at)
    if (!group.isHeldBy(token)) return 'fenced'
    group.token = ''
    group.untilMs = 0
    return 'released'
  }

  async look(at: GroupPartition): Promise<GroupState> {
    const { start, generation, position, n, ahead, member, untilMs, dead } = this.#group(at)
    return { start, generation, position, n, ahead, member, untilMs, deadLetters: dead.size }
  }

  async loadStates(at: GroupPartition, keys: readonly string[]): Promise<readonly StoredKey[]> {
    const group = this.#group(at)
    return keys.map((key) => ({
      key,
      state: storedState(group.states.get(key)),
      parked: parkedOf(group, key),
      deferred: deferredOf(group, key),
    }))
  }

  async parked(at: GroupPartition, options: PageOptions = {}): Promise<Page<ParkedKey>> {
    const all = [...this.#group(at).parked.values()].map((text) => JSON.parse(text) as ParkedKey)
    return pageOf(all, ({ head }) => head, options)
  }

  async markDue(
    at: GroupPartition,
    key: string,
    parkNo: number,
    by: DueBy,
    nowMs: number,
  ): Promise<DueAnswer> {
    return markDueInMemory(this.#group(at), { key, parkNo, by, nowMs })
  }

  async dueKeys(at: GroupPartition, nowMs: number, limit = 100): Promise<readonly DueKey[]> {
    return dueInMemory(this.#group(at), nowMs, limit)
  }

  async rulings(at: GroupPartition, seqs: readonly number[]): Promise<ReadonlyMap<number, Ruling>> {
    return rulingsInMemory(this.#group(at), seqs)
  }

  async deferred(at: GroupPartition, key: string): Promise<readonly DeferredEvent[]> {
    return deferredOf(this.#group(at), key)
  }

  async deferredKeys(at: GroupPartition, options: PageOptions = {}): Promise<Page<DeferredList>> {
    const group = this.#group(at)
    const all = [...group.deferred.keys()].map((key) => ({ key, events: deferredOf(group, key) }))
    return pageOf(all, ({ events }) => events[0]?.seq ?? 0, options)
  }

  async deadLetters(
    at: GroupPartition,
    options: { after?: number; limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    const { after = 0, limit = 100 } = options
    return [...this.#group(at).dead]
      .filter(([seq]) => seq > after)
      .toSorted(([a], [b]) => a - b)
      .slice(0, limit)
      .map(([, text]) => JSON.parse(text) as DeadLetter)
  }

  async dueTimers(at: GroupPartition, nowMs: number, limit = 100): Promise<DueTimers> {
    const all = [...this.#group(at).timers].toSorted(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    const timers = all
      .filter(([, dueMs]) => dueMs <= nowMs)
      .slice(0, limit)
      .map(([text, dueMs]): KeyTimer => {
        const [key, name] = JSON.parse(text) as [string, string]
        return { key, name, dueMs }
      })
    return { timers, nextMs: all[timers.length]?.[1] }
  }

  async firings(
    at: GroupPartition,
    options: PageOptions & { readonly fromSeq?: number } = {},
  ): Promise<Page<JournalledFiring>> {
    return firingsInMemory(this.#group(at), options)
  }

  async outbox(at: GroupPartition, options: PageOptions = {}): Promise<Page<OutboxEntry>> {
    return outboxInMemory(this.#group(at), options)
  }

  async forwarded(at: GroupPartition, ids: readonly string[]): Promise<number> {
    return forwardInMemory(this.#group(at), ids)
  }

  async pendingEffects(
    at: GroupPartition,
    options: PageOptions & { readonly status?: OpenEffect } = {},
  ): Promise<Page<RecordedEffect>> {
    const { status = 'pending', ...page } = options
    return pageOf(openEffects(this.#group(at), status), ({ no }) => no, page)
  }

  async confirmEffects(
    at: GroupPartition,
    token: string,
    changes: readonly EffectChange[],
  ): Promise<'fenced' | readonly EffectChangeResult[]> {
    return changeInMemory(this.#group(at), token, changes, this.#remembered)
  }

  readonly rule: GroupStore['rule'] = (at, request) => this.#repairs.rule(at, request)
  readonly ruleEffect: GroupStore['ruleEffect'] = (at, request) => this.#repairs.ruleEffect(at, request)
  readonly effectNamed: GroupStore['effectNamed'] = (at, id) => this.#repairs.effectNamed(at, id)
  readonly deadEffects: GroupStore['deadEffects'] = (at, options) => this.#repairs.deadEffects(at, options)
  readonly requeuedEffects: GroupStore['requeuedEffects'] = (at, limit) =>
    this.#repairs.requeuedEffects(at, limit)
  readonly deadItems: GroupStore['deadItems'] = (at, options) => this.#repairs.deadItems(at, options)
  readonly deadCounts: GroupStore['deadCounts'] = (at) => this.#repairs.deadCounts(at)
  readonly requeued: GroupStore['requeued'] = (at, options) => this.#repairs.requeued(at, options)
  readonly repairEntries: GroupStore['repairEntries'] = (at, options) =>
    this.#repairs.repairEntries(at, options)

  async mend(at: GroupPartition, request: MendRequest): Promise<MendResult> {
    const { tip } = await this.#see(at)
    return mendInMemory(this.#group(at), request, { tip, nowMs: this.#clock.now() })
  }

  async audit(at: GroupPartition): Promise<GroupAudit> {
    const { tip } = await this.#see(at)
    const group = this.#group(at)
    return auditInMemory(group, at.generation ?? 0, tip)
  }

  async #see({ topic, partition }: GroupPartition, position?: Reached): Promise<Seen> {
    const tip = (await this.#log.tips(topic))[partition]?.seq ?? 0
    if (!position || position.seq === 0) return { tip, there: true }
    const { id, seq } = position
    const found = await this.#log.readAt(topic, { topic: topic.name, partition, id, seq })
    return { tip, there: found !== undefined }
  }

  #group(at: GroupPartition): MemoryGroup {
    return this.#groups.of(at)
  }
}

function systemNonce(): string {
  return randomBytes(8).toString('hex')
}

function storedState(text: string | undefined): StoredState | undefined {
  if (text === undefined) return undefined
  const { version, seq, state, ops } = JSON.parse(text) as StoredState
  return { version, seq, state, ops }
}
