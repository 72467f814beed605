import type { Page } from '@millrace/log'
import type {
  DeadLetter,
  DeferredEvent,
  DeferredList,
  DueTimers,
  GroupState,
  JournalledFiring,
  MigratedKey,
  OpenEffect,
  OutboxEntry,
  PageOptions,
  ParkedKey,
  RecordedEffect,
} from '@millrace/processor'
import { beginning } from '@millrace/log'
import type { GroupPlace } from './group-place.ts'
import { seqsOf } from './lease.ts'
import {
  decodeDeferred,
  decodeEffect,
  decodeFiring,
  decodeMigration,
  decodeOutboxEntry,
  decodeParked,
  decodeTimer,
} from './stored-texts.ts'

const beginFields = ['base', 'base-id', 'withheld', 'generation'] as const

export async function lookAtGroup({ redis, names }: GroupPlace): Promise<GroupState> {
  const [record, deadLetters] = await Promise.all([
    redis.hmget(names.group, 'id', 'seq', 'n', 'ahead', 'member', 'until', ...beginFields),
    redis.zcard(names.dead),
  ])
  const [id, seq, n, ahead, member, until, base, baseId, withheld, generation] = record
  return {
    start: { id: baseId ?? beginning, seq: Number(base ?? 0), withheldTo: Number(withheld ?? 0) },
    generation: Number(generation ?? 0),
    position: { id: id ?? beginning, seq: Number(seq ?? 0) },
    n: Number(n ?? 0),
    ahead: seqsOf(ahead ?? ''),
    member: member ?? undefined,
    untilMs: Number(until ?? 0),
    deadLetters,
  }
}

/** The journal entries of keys that were taken over from another system. */
export async function migrationsOf(
  { redis, names }: GroupPlace,
  keys: readonly string[],
): Promise<ReadonlyMap<string, MigratedKey>> {
  if (keys.length > 1_000) throw new TypeError('At most 1,000 keys can be loaded at once')
  const found = new Map<string, MigratedKey>()
  if (keys.length === 0) return found
  const texts = await redis.hmget(names.migrations, ...keys)
  for (const [at, key] of keys.entries()) {
    const one = from(texts[at], (text) => decodeMigration(key, text))
    if (one) found.set(key, one)
  }
  return found
}

export async function parkedPage(
  { redis, names }: GroupPlace,
  { after, limit = 100 }: PageOptions,
): Promise<Page<ParkedKey>> {
  const { members, next } = await membersAfter(redis, names.parkedHeads, after, limit)
  const texts = members.length === 0 ? [] : await redis.hmget(names.parked, ...members)
  return {
    items: members.flatMap((key, at) => from(texts[at], (text) => decodeParked(key, text)) ?? []),
    next,
  }
}

export async function deferredOfKey(
  { redis, names }: GroupPlace,
  key: string,
): Promise<readonly DeferredEvent[]> {
  return from(await redis.hget(names.deferred, key), decodeDeferred) ?? []
}

export async function deferredPage(
  { redis, names }: GroupPlace,
  { after, limit = 100 }: PageOptions,
): Promise<Page<DeferredList>> {
  const { members, next } = await membersAfter(redis, names.deferredHeads, after, limit)
  const texts = members.length === 0 ? [] : await redis.hmget(names.deferred, ...members)
  const items = members.flatMap(
    (key, at) => from(texts[at], (text) => ({ key, events: decodeDeferred(text) })) ?? [],
  )
  return { items, next }
}

export async function deadLettersAfter(
  { redis, names }: GroupPlace,
  { after = 0, limit = 100 }: { readonly after?: number; readonly limit?: number },
): Promise<readonly DeadLetter[]> {
  const texts = await redis.zrangebyscore(names.dead, `(${after}`, '+inf', 'LIMIT', 0, limit)
  return texts.map((text) => JSON.parse(text) as DeadLetter)
}

/** Asks for one timer more than are answered, to say when the next one is due. */
export async function timersDue(
  { redis, names }: GroupPlace,
  nowMs: number,
  limit: number,
): Promise<DueTimers> {
  const flat = await redis.zrange(names.timers, 0, String(limit), 'WITHSCORES')
  const all = Array.from({ length: flat.length / 2 }, (_, at) =>
    decodeTimer(flat[at * 2] ?? '', flat[at * 2 + 1] ?? ''),
  )
  const timers = all.filter(({ dueMs }) => dueMs <= nowMs).slice(0, limit)
  return { timers, nextMs: all[timers.length]?.dueMs }
}

export async function firingsPage(
  { redis, names }: GroupPlace,
  { after, limit = 100, fromSeq = 0 }: PageOptions & { readonly fromSeq?: number },
): Promise<Page<JournalledFiring>> {
  // In an entry a blank follows the two numbers, and '!' is what comes next to a blank: just behind the last entry.
  const start = after === undefined ? `[${padded(fromSeq)}` : `(${after.split(' ').map(padded).join(' ')}!`
  const members = await redis.zrange(names.journal, start, '+', 'BYLEX', 'LIMIT', 0, limit)
  const items = members.map(decodeFiring)
  const last = items.at(-1)
  return { items, next: items.length === limit && last ? `${last.afterSeq} ${last.no}` : undefined }
}

export async function outboxPage(
  { redis, names }: GroupPlace,
  { after, limit = 50 }: PageOptions,
): Promise<Page<OutboxEntry>> {
  const entries = await redis.xrange(
    names.outbox,
    after === undefined ? '-' : `(${after}`,
    '+',
    'COUNT',
    limit,
  )
  const items = entries.map(([id, fields]) => decodeOutboxEntry(id, fields))
  return { items, next: items.length === limit ? items.at(-1)?.id : undefined }
}

export async function effectsPage(
  { redis, names }: GroupPlace,
  { after, limit = 100, status = 'pending' }: PageOptions & { readonly status?: OpenEffect },
): Promise<Page<RecordedEffect>> {
  const name = { pending: names.effectsPending, parked: names.effectsParked, dead: names.effectsDead }[status]
  const { members, next } = await membersAfter(redis, name, after, limit)
  const texts = members.length === 0 ? [] : await redis.hmget(names.effects, ...members)
  // Between the two commands an effect may have changed: it is on another list then.
  const items = members.flatMap((id, at) => from(texts[at], (text) => decodeEffect(id, text)) ?? [])
  return { items: items.filter((effect) => effect.status === status), next }
}

async function membersAfter(
  redis: GroupPlace['redis'],
  name: string,
  after: string | undefined,
  limit: number,
): Promise<{ members: readonly string[]; next: string | undefined }> {
  const start = after === undefined ? '-inf' : `(${after}`
  const flat = await redis.zrangebyscore(name, start, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
  const members = flat.filter((_, at) => at % 2 === 0)
  return { members, next: members.length === limit ? flat.at(-1) : undefined }
}

function padded(number: number | string): string {
  return String(number).padStart(15, '0')
}

function from<T>(text: string | null | undefined, decode: (text: string) => T): T | undefined {
  return text === null || text === undefined ? undefined : decode(text)
}
