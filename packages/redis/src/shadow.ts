import { MillraceError } from '@millrace/event'
import type { Page } from '@millrace/log'
import {
  checkOrdered,
  droppedRecord,
  type EffectToRecord,
  type MigratedKey,
  mostShadowKeys,
  type PageOptions,
  type ShadowChange,
  type ShadowRecord,
  type StateDrop,
  type StateDropResult,
  type WithheldEffect,
  type WithheldRequest,
  type WithheldResult,
} from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { encodeMigration, timerMember } from './stored-texts.ts'

/** What calls of a shadow need beside the group's place. */
export interface ShadowContext {
  /** Time in ms; undefined: the server's clock. */
  readonly now: number | undefined
  /** How many entries the audit log keeps. */
  readonly entriesKept: number
}

/** What operators have said of whose effects are carried out. */
export async function shadowOf({ redis, names }: GroupPlace): Promise<ShadowRecord> {
  return recordOf(await redis.hgetall(names.shadow))
}

/** Says it. @throws MillraceError `shadow.crowded` */
export async function changeShadow(
  { redis, scripts, names }: GroupPlace,
  change: ShadowChange,
  { now, entriesKept }: ShadowContext,
): Promise<ShadowRecord> {
  checkOrdered(change)
  const { keys = [], percent, by, reason } = change
  const kind = (percent ?? 0) > 0 || keys[0]?.promoted === true ? 'promoted' : 'demoted'
  const header = {
    percent,
    set: keys.flatMap(({ key, promoted }) =>
      promoted === undefined ? [] : [[`k${key}`, promoted ? '1' : '0']],
    ),
    forget: keys.flatMap(({ key, promoted }) => (promoted === undefined ? [`k${key}`] : [])),
    ...{ kind, key: keys.length === 1 ? keys[0]?.key : '', now, most: entriesKept, keys: mostShadowKeys },
  }
  const args = [JSON.stringify(header), JSON.stringify({ by, reason })]
  const reply = (await scripts.shadow.run(redis, [names.shadow, names.repairs], args)) as
    | readonly ['crowded']
    | readonly ['set', readonly string[]]
  if (reply[0] === 'crowded')
    throw new MillraceError('shadow.crowded', `At most ${mostShadowKeys} keys by name`)
  const [, flat] = reply
  const fields = Array.from({ length: flat.length / 2 }, (_, at) => [
    flat[at * 2] ?? '',
    flat[at * 2 + 1] ?? '',
  ])
  return recordOf(Object.fromEntries(fields) as Record<string, string>)
}

/** Withheld effects in the order of recording. */
export async function withheldPage(
  { redis, names }: GroupPlace,
  { after, limit = 100 }: PageOptions,
): Promise<Page<WithheldEffect>> {
  const from = after === undefined ? '-inf' : `(${after}`
  const ids = await redis.zrangebyscore(names.withheldOrder, from, '+inf', 'LIMIT', 0, limit)
  const texts = ids.length === 0 ? [] : await redis.hmget(names.withheld, ...ids)
  const items = ids.flatMap((id, at) => decodeWithheld(id, texts[at]) ?? [])
  const last = items.at(-1)
  return { items, next: ids.length === limit && last ? String(last.no) : undefined }
}

/** Lets withheld effects go, or ignores them. */
export async function settleWithheld(
  { redis, scripts, names }: GroupPlace,
  request: WithheldRequest,
  { now, entriesKept }: ShadowContext,
): Promise<readonly WithheldResult[]> {
  checkOrdered(request)
  const { ids, to, by, reason } = request
  if (ids.length > 1_000) throw new TypeError('At most 1,000 effects can be settled at once')
  if (ids.length === 0) return []
  const keys = [
    names.group,
    names.withheld,
    names.withheldOrder,
    names.effects,
    names.effectsPending,
    names.effectsRequeued,
    names.repairs,
    names.effectsSettled,
  ]
  const header = { ids, to, now, most: entriesKept }
  const args = [JSON.stringify(header), JSON.stringify({ by, reason })]
  return (await scripts.withheld.run(redis, keys, args)) as WithheldResult[]
}

/** Journals what another system says of a key. */
export async function keepMigration(
  { redis, scripts, names }: GroupPlace,
  entry: MigratedKey,
): Promise<'kept' | 'known'> {
  const args = [entry.key, encodeMigration(entry)]
  return (await scripts.migrate.run(redis, [names.states, names.migrations], args)) as 'kept' | 'known'
}

/** Removes the records of keys under the token of the live lease. */
export async function dropStates(
  { redis, scripts, names }: GroupPlace,
  token: string,
  drop: StateDrop,
  { now, entriesKept }: ShadowContext,
): Promise<StateDropResult> {
  checkOrdered(drop)
  const { keys, history, timers, logged, named, by, reason } = drop
  if (keys.length > 1_000) throw new TypeError('At most 1,000 keys can be dropped at once')
  const header = {
    ...{ keys, history, logged, key: named, now, most: entriesKept },
    timers: timers.map(({ key, name }) => timerMember(key, name)),
  }
  const args = [token, JSON.stringify(header), JSON.stringify({ by, reason }), droppedRecord('', 0).ops]
  const place = [names.group, names.states, names.timers, names.migrations, names.repairs]
  const [status, records, migrations] = (await scripts.stateDrop.run(redis, place, args)) as [
    StateDropResult['status'],
    number,
    number,
  ]
  return status === 'fenced' ? { status } : { status, records, migrations }
}

function recordOf(fields: Readonly<Record<string, string>>): ShadowRecord {
  const keys = new Map<string, boolean>()
  for (const [field, value] of Object.entries(fields))
    if (field.startsWith('k')) keys.set(field.slice(1), value === '1')
  const { no = 0, percent } = fields
  return { no: Number(no), percent: percent === undefined ? undefined : Number(percent), keys }
}

function decodeWithheld(idempotencyKey: string, text: string | null | undefined): WithheldEffect | undefined {
  if (text === null || text === undefined) return undefined
  const [no = '', facts = '', payload = ''] = text.split('\n', 3)
  const rest = JSON.parse(facts) as Omit<EffectToRecord, 'idempotencyKey' | 'payload'>
  return { ...rest, idempotencyKey, payload, no: Number(no) }
}
