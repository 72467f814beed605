import { MillraceError } from '@millrace/event'
import type { Commit } from './commit.ts'
import type { DeferredList } from './deferred-event.ts'
import type { EffectToRecord } from './effect-ledger.ts'
import type { Park } from './parked-key.ts'
import type { StateChange } from './stored-state.ts'
import { checkFacts } from './story/check-story.ts'

/** Bounds of one commit, which keep the script short. */
export const commitBounds = {
  states: 5_000,
  /** Most of every other part, each. */
  items: 1_000,
  /** Most characters of states, effects and emitted events together. */
  size: 8 * 1024 * 1024,
} as const

/** Separates fields where a commit is stored or sent; stands in no JSON and in no key. */
export const separators = { field: '\u001e', line: '\n' } as const

/**
 * Checks what can be seen of a commit without the store, which every adapter does before it asks its store.
 *
 * @throws TypeError when the parts contradict each other: a mistake in code
 * @throws MillraceError `commit.too-large`
 */
export function checkCommit(commit: Commit): void {
  const { position, ahead, done } = commit
  ascending('ahead', [position.seq, ...ahead])
  if (commit.late) ascending('late', [0, ...commit.late])
  for (const { seq, afterSeq } of commit.lateRuns ?? [])
    if (!commit.late?.includes(seq) || afterSeq < seq) wrong(`${seq} is not settled late behind ${afterSeq}`)
  if (done !== undefined && !(Number.isSafeInteger(done) && done >= 0))
    wrong('done must be a whole number from 0')
  const { parks = [], unparks = [], lines = [], defers = [], timers = [], firings = [] } = commit
  distinct('a dead letter', commit.dead, ({ seq }) => seq)
  distinct('a parked key', [...parks, ...unparks, ...lines], ({ key }) => key)
  distinct('a key with deferred events', defers, ({ key }) => key)
  distinct('a timer', timers, ({ key, name }) => `${key}\n${name}`)
  distinct('a firing', firings, ({ key, name }) => `${key}\n${name}`)
  for (const { dueMs } of [...timers, ...firings])
    if (dueMs !== undefined && !Number.isSafeInteger(dueMs)) wrong('a timer is due at a whole number of ms')
  parks.forEach(checkPark)
  for (const { last, lined } of lines)
    if (!(isSeq(last) && isSeq(lined))) wrong('a line grows to whole numbers from 1')
  defers.forEach(checkDeferred)
  commit.states?.forEach(checkState)
  distinct('a key that is taken over', commit.migrations ?? [], ({ key }) => key)
  for (const { state } of commit.migrations ?? [])
    if (state.includes(separators.line)) wrong('a state that is taken over is not JSON in one line')
  commit.effects?.forEach(checkEffect)
  commit.withheld?.forEach(checkEffect)
  if (commit.facts) checkFacts(commit.facts)
  checkSize(commit)
}

function checkSize(commit: Commit): void {
  const { dead, states = [], parks = [], unparks = [], defers = [], timers = [], firings = [] } = commit
  const { effects = [], outbox = [], late = [], lines = [], migrations = [], withheld = [] } = commit
  if (states.length > commitBounds.states) throw tooLarge(`${states.length} states`)
  for (const list of [
    dead,
    parks,
    unparks,
    defers,
    timers,
    firings,
    effects,
    outbox,
    late,
    lines,
    migrations,
    withheld,
  ])
    if (list.length > commitBounds.items) throw tooLarge(`${list.length} items of one kind`)
  let size = 0
  for (const change of states) size += 'removed' in change ? 0 : change.state.length + change.ops.length
  for (const { state } of migrations) size += state.length
  for (const effect of [...effects, ...withheld]) size += effect.payload.length
  for (const entry of outbox) size += entry.text.length
  if (size > commitBounds.size) throw tooLarge(`${size} characters`)
}

function tooLarge(what: string): MillraceError {
  return new MillraceError('commit.too-large', `The commit has ${what}`)
}

function checkPark({ key, head, last, lined }: Park): void {
  const fits = lined === 0 ? last === head : lined > 0 && last - head >= lined
  if (!(isSeq(head) && isSeq(last) && Number.isSafeInteger(lined) && fits))
    wrong(`the line of key "${key}" does not fit its head`)
}

function checkDeferred({ key, events }: DeferredList): void {
  ascending(`the deferred events of key "${key}"`, [0, ...events.map(({ seq }) => seq)])
}

function checkState(change: StateChange): void {
  if (change.key.includes(separators.field)) wrong('a key holds a control character')
  if ('removed' in change) return
  const { seq, version, state, ops } = change
  if (!Number.isSafeInteger(seq) || seq < 0 || !Number.isSafeInteger(version))
    wrong('a state has no whole seq or version')
  if (state.includes(separators.line) || ops.includes(separators.line))
    wrong('a state is not JSON in one line')
}

function checkEffect({ idempotencyKey, payload }: EffectToRecord): void {
  if (!/^[ -~]{1,512}$/.test(idempotencyKey))
    wrong('an idempotency key is 1 to 512 printable ASCII characters')
  if (payload.includes(separators.line)) wrong('the payload of an effect is not JSON in one line')
}

function isSeq(seq: number): boolean {
  return Number.isSafeInteger(seq) && seq >= 1
}

function ascending(what: string, seqs: readonly number[]): void {
  for (let at = 1; at < seqs.length; at++) {
    const seq = seqs[at] as number
    if (!(Number.isSafeInteger(seq) && seq > (seqs[at - 1] as number)))
      wrong(`${what} must be ascending numbers`)
  }
}

function distinct<T>(what: string, items: readonly T[], nameOf: (item: T) => unknown): void {
  if (items.length > 1 && new Set(items.map(nameOf)).size !== items.length) wrong(`${what} is named twice`)
}

function wrong(what: string): never {
  throw new TypeError(`A commit: ${what}`)
}
