import { type Commit, type CommitFault, commitRefused, type CommitResult } from './commit.ts'
import type { DeferredEvent } from './deferred-event.ts'
import type { RecordedEffect } from './effect-ledger.ts'
import type { EventCounts } from './group-audit.ts'
import type { MemoryGroup } from './memory-group.ts'
import { judgeMigrations, writeMigrations } from './memory-migrations.ts'
import type { OutboxDraft, OutboxEntry } from './outbox.ts'
import type { ParkedKey } from './parked-key.ts'
import type { Ruling } from './ruling.ts'
import { recordWithheld } from './shadow/memory-shadow.ts'

/** What the log says of a position. */
export interface Seen {
  readonly tip: number
  /** The log has this very event, or it is the beginning. */
  readonly there: boolean
}

/** How emitted events get to their topics within the commit. */
export interface AtOnce {
  /** Number of the last event that the channel has, where the events of a draft may be appended at once. */
  lastOf(draft: OutboxDraft): number | undefined
  /** Writes before it returns. */
  append(draft: OutboxDraft, first: number): void
}

/**
 * Makes a commit true in memory: judges it as the script on Redis does, in the same order, and writes then.
 *
 * @throws MillraceError `commit.refused`
 */
export function commitInMemory(group: MemoryGroup, commit: Commit, seen: Seen, atOnce: AtOnce): CommitResult {
  if (!group.isHeldBy(commit.token)) return { status: 'fenced' }
  if (commit.n === group.n) return { status: 'already' }
  if (commit.n !== group.n + 1) return { status: 'fenced' }
  const refuse = (fault: CommitFault, seq: number) => commitRefused(fault, seq, commit.position.id)
  const { seq } = commit.position
  if (seq < group.position.seq) throw refuse('backwards', group.position.seq)
  if (Math.max(seq, commit.ahead.at(-1) ?? 0) > seen.tip) throw refuse('beyond', seen.tip)
  if (!seen.there) throw refuse('other', seq)
  if (commit.done !== undefined) {
    const named = new Set(commit.ahead)
    const forgotten = group.ahead.find((one) => one > seq && !named.has(one))
    if (forgotten !== undefined) throw refuse('forgotten', forgotten)
  }
  const change = changeOfCounts(group, commit, refuse)
  const settledBefore = group.position.seq + group.ahead.length
  const left = seq + commit.ahead.length - settledBefore
  change.done = left - change.parked - change.lined - change.deferred - change.dead - change.requeued
  if (commit.done !== undefined && commit.done !== change.done) throw refuse('balance', change.done)
  judgeMigrations(group, commit, refuse)
  return { status: 'committed', numbers: write(group, commit, change, atOnce) }
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

function changeOfCounts(
  group: MemoryGroup,
  commit: Commit,
  refuse: (fault: CommitFault, seq: number) => Error,
): Mutable<EventCounts> {
  const change = { done: 0, parked: 0, lined: 0, deferred: 0, dead: 0, requeued: 0 }
  for (const { key, head, last, lined } of commit.parks ?? []) {
    const stored = parkedOf(group, key)
    if (stored && (head < stored.head || last < stored.last)) throw refuse('line', stored.last)
    change.parked += stored ? 0 : 1
    change.lined += lined - (stored?.lined ?? 0)
  }
  for (const { key, last } of commit.unparks ?? []) {
    const stored = parkedOf(group, key)
    if (!stored) throw refuse('unparked', last)
    if (stored.last !== last) throw refuse('line', stored.last)
    change.parked -= 1
    change.lined -= stored.lined
  }
  for (const { key, last, lined } of commit.lines ?? []) {
    const stored = parkedOf(group, key)
    if (!stored) throw refuse('unparked', last)
    if (last < stored.last) throw refuse('line', stored.last)
    change.lined += lined - stored.lined
  }
  for (const { key, events } of commit.defers ?? [])
    change.deferred += events.length - deferredOf(group, key).length
  for (const { seq } of commit.dead) if (!group.dead.has(seq)) change.dead += 1
  for (const seq of commit.late ?? []) {
    if (!group.requeued.has(seq)) throw refuse('late', seq)
    change.requeued -= 1
  }
  for (const { key, name, dueMs, afterSeq } of commit.firings ?? [])
    if (group.timers.get(timerName(key, name)) !== dueMs) throw refuse('timer', afterSeq)
  return change
}

function write(group: MemoryGroup, commit: Commit, change: EventCounts, atOnce: AtOnce): number[] {
  const { counts } = group
  group.begun = true
  group.n = commit.n
  group.position = { id: commit.position.id, seq: commit.position.seq }
  group.ahead = [...commit.ahead]
  counts.done += change.done
  counts.parked += change.parked
  counts.lined += change.lined
  counts.deferred += change.deferred
  counts.dead += change.dead
  counts.requeued += change.requeued
  for (const seq of commit.late ?? []) group.requeued.delete(seq)
  writeRulings(group, commit)
  for (const letter of commit.dead) group.dead.set(letter.seq, JSON.stringify(letter))
  for (const one of commit.states ?? [])
    if ('removed' in one) group.states.delete(one.key)
    else group.states.set(one.key, JSON.stringify(one))
  writeMigrations(group, commit)
  for (const park of commit.parks ?? []) {
    const stored = parkedOf(group, park.key)
    const no = stored?.head === park.head ? stored.no : commit.n
    const { tried, markMs, ...kept } = park
    group.parked.set(park.key, JSON.stringify({ ...kept, no } satisfies ParkedKey))
    const later = markMs !== undefined && (group.parkedDue.get(park.key) ?? 0) > markMs
    if ((tried === true && !later) || no === commit.n) group.parkedDue.delete(park.key)
  }
  for (const { key, last, lined } of commit.lines ?? [])
    group.parked.set(key, JSON.stringify({ ...parkedOf(group, key), last, lined }))
  for (const { key } of commit.unparks ?? []) {
    group.parked.delete(key)
    group.parkedDue.delete(key)
  }
  for (const { key, events } of commit.defers ?? [])
    if (events.length === 0) group.deferred.delete(key)
    else group.deferred.set(key, JSON.stringify(events))
  writeTimers(group, commit)
  recordEffects(group, commit)
  recordWithheld(group, commit.withheld ?? [], group.withheldKept)
  return writeOutbox(group, commit, atOnce)
}

function writeRulings(group: MemoryGroup, { heeded = [], lateRuns = [] }: Commit): void {
  for (const { seq, id, ruling } of heeded) {
    const text = group.rulings.get(seq)
    if (text === undefined || (JSON.parse(text) as Ruling).id === id) continue
    if (ruling) group.rulings.set(seq, JSON.stringify(ruling))
    else group.rulings.delete(seq)
  }
  for (const [at, { seq, afterSeq, afterFirings = 0 }] of lateRuns.entries())
    group.lateRuns.set(seq, { afterSeq, no: group.fired + at + 1 + afterFirings })
}

/** Firings and late runs share their numbers, in the order in which they came. */
function writeTimers(group: MemoryGroup, { firings = [], timers = [], lateRuns = [] }: Commit): void {
  for (const [at, { key, name, dueMs, afterSeq }] of firings.entries()) {
    group.timers.delete(timerName(key, name))
    const runs = lateRuns.filter(({ afterFirings = 0 }) => afterFirings <= at).length
    group.journal.push({ key, name, dueMs, afterSeq, no: group.fired + at + 1 + runs })
  }
  group.fired += firings.length + lateRuns.length
  for (const { key, name, dueMs } of timers)
    if (dueMs === undefined) group.timers.delete(timerName(key, name))
    else group.timers.set(timerName(key, name), dueMs)
}

function recordEffects(group: MemoryGroup, { effects = [] }: Commit): void {
  for (const effect of effects) {
    const { idempotencyKey } = effect
    if (group.effects.has(idempotencyKey) || group.settledEffects.has(idempotencyKey)) continue
    group.effectCounts.recorded += 1
    group.effectCounts.pending += 1
    const recorded: RecordedEffect = {
      ...effect,
      status: 'pending',
      no: group.effectCounts.recorded,
      turn: 0,
      note: null,
    }
    group.effects.set(idempotencyKey, JSON.stringify(recorded))
  }
}

function writeOutbox(group: MemoryGroup, { n, outbox = [] }: Commit, atOnce: AtOnce): number[] {
  const firsts = outbox.map((draft) => {
    const channel = channelNameOf(draft)
    const last = group.channels.get(channel) ?? 0
    group.channels.set(channel, last + draft.events.length)
    return last + 1
  })
  const near = inStep(outbox, firsts, atOnce)
  return outbox.map((draft, place) => {
    const { topic, partition, events, text } = draft
    const first = firsts[place] as number
    if (near.has(channelNameOf(draft)) && draft.target) {
      atOnce.append(draft, first)
      return 0
    }
    const id = `${n}-${place + 1}`
    const entry: OutboxEntry = { id, topic, partition, first, events, size: text.length }
    group.outbox.set(entry.id, entry)
    group.outboxCounts.written += 1
    return first
  })
}

function channelNameOf({ topic, partition }: OutboxDraft): string {
  return `${topic}/${partition}`
}

/** Channels that have all events before those of this commit: what they have not got lies in the outbox, and goes first. */
function inStep(
  outbox: readonly OutboxDraft[],
  firsts: readonly number[],
  atOnce: AtOnce,
): ReadonlySet<string> {
  const lasts = new Map<string, number>()
  const out = new Set<string>()
  for (const [place, draft] of outbox.entries()) {
    if (!draft.target) continue
    const channel = channelNameOf(draft)
    const last = lasts.get(channel) ?? atOnce.lastOf(draft)
    if (last === undefined || last !== (firsts[place] as number) - 1) out.add(channel)
    lasts.set(channel, (last ?? 0) + draft.events.length)
  }
  for (const channel of out) lasts.delete(channel)
  return new Set(lasts.keys())
}

/** The name of a timer among all of the group. */
function timerName(key: string, name: string): string {
  return JSON.stringify([key, name])
}

export function parkedOf(group: MemoryGroup, key: string): ParkedKey | undefined {
  const text = group.parked.get(key)
  return text === undefined ? undefined : (JSON.parse(text) as ParkedKey)
}

export function deferredOf(group: MemoryGroup, key: string): readonly DeferredEvent[] {
  const text = group.deferred.get(key)
  return text === undefined ? [] : (JSON.parse(text) as DeferredEvent[])
}
