import {
  checkCommit,
  type Commit,
  type CommitFault,
  commitRefused,
  type CommitResult,
  separators,
} from '@millrace/processor'
import { atOnce, type AtOnce, type EntryHeader } from './at-once.ts'
import type { GroupPlace } from './group-place.ts'
import { encodeEffect, encodeMigration, encodeState, timerMember } from './stored-texts.ts'
import { type MarkHeader, markPart, type StoryHeader, storyPart } from './story-header.ts'

type Reply =
  | readonly ['committed', ...(readonly number[])]
  | readonly ['already' | 'fenced']
  | readonly ['refused', CommitFault, number]

/** Keys that each call has. */
const fixedKeys = 19

/** Makes a commit true, or says why not. The same commit may be sent again. */
export async function commitGroup(place: GroupPlace, commit: Commit): Promise<CommitResult> {
  checkCommit(commit)
  const { redis, scripts, names, partition } = place
  const keys = [
    names.group,
    partition.meta,
    partition.log,
    names.dead,
    names.states,
    names.parked,
    names.parkedHeads,
    names.deferred,
    names.deferredHeads,
    names.timers,
    names.journal,
    names.outbox,
    names.effects,
    names.effectsPending,
    names.effectsSettled,
    names.parkedDue,
    names.requeued,
    names.deadIndex,
    names.rulings,
  ]
  if (commit.migrations) keys.push(names.migrations)
  if (commit.withheld) keys.push(names.withheld, names.withheldOrder)
  const emits = atOnce(place, commit, keys.length)
  const taken = keys.length + emits.keys.length
  const story = storyPart(place, taken, commit.facts)
  const mark = markPart(place, taken + (story?.keys.length ?? 0), commit)
  const told = { ...(story ? { story: story.header } : {}), ...(mark ? { mark: mark.header } : {}) }
  const args = argumentsOf(commit, place, emits, told)
  const all = [...keys, ...emits.keys, ...(story?.keys ?? []), ...(mark?.keys ?? [])]
  const reply = (await scripts.commit.run(redis, all, args)) as Reply
  switch (reply[0]) {
    case 'committed': {
      const [, ...numbers] = reply
      return { status: 'committed', numbers }
    }
    case 'already':
    case 'fenced':
      return { status: reply[0] }
    case 'refused':
      throw commitRefused(reply[1], reply[2], commit.position.id)
  }
}

/** The header of a call, as `commit.lua` describes it. */
interface Header {
  token: string
  n: number
  id: string
  seq: number
  ahead: string
  group: string
  expire?: number
  done?: number
  dead?: readonly (readonly [number, string])[]
  states?: number
  removed?: readonly string[]
  park?: readonly (readonly [string, number, number, number, string, 0 | 1, ...(readonly number[])])[]
  unpark?: readonly (readonly [string, number])[]
  line?: readonly (readonly [string, number, number])[]
  late?: readonly number[]
  ran?: readonly (readonly [number, number, number])[]
  heeded?: readonly (readonly [number, string, string?])[]
  defer?: readonly (readonly [string, number, number, string])[]
  fire?: readonly (readonly [string, number, number, string])[]
  set?: readonly (readonly [string, number])[]
  cancel?: readonly string[]
  outbox?: readonly EntryHeader[]
  targets?: readonly (readonly [number, number])[]
  channel?: string
  now?: number
  effects?: number
  story?: StoryHeader
  mark?: MarkHeader
  journal?: number
  migrate?: readonly (readonly [string, number, string])[]
  withheldAt?: number
  withheld?: readonly (readonly [string, string])[]
  withheldMost?: number
}

function argumentsOf(
  commit: Commit,
  { redisGroup: group, expireMs, withheldKept = 10_000 }: GroupPlace,
  emits: AtOnce,
  told: Pick<Header, 'story' | 'mark'>,
): string[] {
  const { token, n, position, ahead } = commit
  const place = { token, n, id: position.id, seq: position.seq, ahead: ahead.join(',') }
  const header: Header = { ...place, group, ...emits.header, ...told }
  if (expireMs !== undefined) header.expire = expireMs
  if (commit.done !== undefined) header.done = commit.done
  addLedger(header, commit)
  addTimers(header, commit)
  addShadow(header, commit, withheldKept)
  const states = addStates(header, commit)
  const { effects = [], outbox = [] } = commit
  if (effects.length > 0) header.effects = effects.length
  const records = effects.flatMap((effect) => [effect.idempotencyKey, encodeEffect(effect)])
  return [
    JSON.stringify(header),
    states,
    records.join(separators.field),
    ...outbox.map((entry) => entry.text),
  ]
}

// One text instead of two arguments a state: an argument costs ioredis and Redis more than the cut in the script.
function addStates(header: Header, { states = [] }: Commit): string {
  const removed: string[] = []
  let count = 0
  let text = ''
  for (const change of states) {
    if ('removed' in change) {
      removed.push(change.key)
      continue
    }
    text += (count++ === 0 ? '' : separators.field) + change.key + separators.field + encodeState(change)
  }
  if (count > 0) header.states = count
  if (removed.length > 0) header.removed = removed
  return text
}

function addLedger(
  header: Header,
  { dead, parks = [], unparks = [], lines = [], defers = [], late = [], lateRuns = [], heeded = [] }: Commit,
): void {
  if (dead.length > 0) header.dead = dead.map((letter) => [letter.seq, JSON.stringify(letter)])
  if (parks.length > 0)
    header.park = parks.map(({ key, head, last, lined, note, tried, markMs }) => [
      key,
      head,
      last,
      lined,
      JSON.stringify(note),
      tried ? 1 : 0,
      ...(markMs === undefined ? [] : [markMs]),
    ])
  if (late.length > 0) header.late = late
  if (lateRuns.length > 0)
    header.ran = lateRuns.map(({ seq, afterSeq, afterFirings = 0 }) => [seq, afterSeq, afterFirings])
  if (heeded.length > 0)
    header.heeded = heeded.map(({ seq, id = '', ruling }) =>
      ruling ? [seq, id, JSON.stringify(ruling)] : [seq, id],
    )
  if (lines.length > 0) header.line = lines.map(({ key, last, lined }) => [key, last, lined])
  if (unparks.length > 0) header.unpark = unparks.map(({ key, last }) => [key, last])
  if (defers.length > 0)
    header.defer = defers.map(({ key, events }) => [
      key,
      events.length,
      events[0]?.seq ?? 0,
      JSON.stringify(events),
    ])
}

// Few commits have these parts: their keys stand in the call only then.
function addShadow(header: Header, { migrations, withheld }: Commit, kept: number): void {
  if (migrations) {
    header.journal = fixedKeys + 1
    header.migrate = migrations.map((one) => [one.key, one.seq, encodeMigration(one)])
  }
  if (!withheld) return
  header.withheldAt = fixedKeys + (migrations ? 2 : 1)
  header.withheldMost = kept
  header.withheld = withheld.map((effect) => [effect.idempotencyKey, encodeEffect(effect)])
}

function addTimers(header: Header, { timers = [], firings = [] }: Commit): void {
  const set: [string, number][] = []
  const cancel: string[] = []
  for (const { key, name, dueMs } of timers)
    if (dueMs === undefined) cancel.push(timerMember(key, name))
    else set.push([timerMember(key, name), dueMs])
  if (set.length > 0) header.set = set
  if (cancel.length > 0) header.cancel = cancel
  if (firings.length > 0)
    header.fire = firings.map(({ key, name, dueMs, afterSeq }) => [
      timerMember(key, name),
      dueMs,
      afterSeq,
      JSON.stringify([key, name, dueMs]),
    ])
}
