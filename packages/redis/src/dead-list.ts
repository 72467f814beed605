import type { Page } from '@millrace/log'
import {
  type DeadCount,
  type DeadCounts,
  type DeadFacts,
  type DeadFilter,
  type DeadItem,
  type DeadLetter,
  deadItemOf,
  deadPlace,
  fits,
  heldItemOf,
  type PageOptions,
  type RequeuedEvent,
} from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { decodeParked } from './stored-texts.ts'

// The members of the index are as dead-index.lua says: "<kind><value>", the character 30, ms and seq in 15 digits, and
// d or h with the key. The character 31 comes next: it ends the range of a value.
const cut = '\u001e'
const behind = '\u001f'

/** How many members of the index a call looks at, in pages. */
const mostPages = 20
/** How many classes and types are named. */
const mostNames = 100

/** A page of what needs an operator: found by the narrowest index that the filter allows, then looked at. */
export async function deadPage(
  at: GroupPlace,
  { after, limit = 100, filter = {} }: PageOptions & { readonly filter?: DeadFilter },
): Promise<Page<DeadItem>> {
  const { redis, names } = at
  const value = valueOf(filter)
  const end =
    filter.untilMs === undefined ? `(${value}${behind}` : `(${value}${cut}${padded(filter.untilMs + 1)}`
  let place = after
  const items: DeadItem[] = []
  for (let page = 0; page < mostPages; page += 1) {
    const start = startOf(value, place, filter.fromMs)
    const members = await redis.zrange(names.deadIndex, start, end, 'BYLEX', 'LIMIT', 0, limit)
    const last = members.at(-1)
    if (last === undefined) return { items, next: undefined }
    for (const item of await itemsAt(at, members.map(placeOfMember), filter)) {
      items.push(item)
      if (items.length === limit) return { items, next: deadPlace(item) }
    }
    if (members.length < limit) return { items, next: undefined }
    place = deadPlace(placeOfMember(last))
  }
  return { items, next: place }
}

/** Letters that wait for their late run, in the order of the log. */
export async function requeuedPage(
  { redis, names }: GroupPlace,
  { after, limit = 100 }: PageOptions,
): Promise<Page<RequeuedEvent>> {
  const start = after === undefined ? '-inf' : `(${after}`
  const texts = await redis.zrangebyscore(names.requeued, start, '+inf', 'LIMIT', 0, limit)
  const items = texts.map((text) => {
    const { seq, id, key } = JSON.parse(text) as DeadLetter
    return { seq, id, key }
  })
  return { items, next: items.length === limit ? String(items.at(-1)?.seq) : undefined }
}

/** How many there are, by class and type: two commands for each name. */
export async function countDead({ redis, names }: GroupPlace): Promise<DeadCounts> {
  const [dead, all, late, [oldest]] = await Promise.all([
    redis.zcard(names.dead),
    redis.zlexcount(names.deadIndex, `[a${cut}`, `(a${behind}`),
    redis.zcard(names.requeued),
    redis.zrange(names.deadIndex, `[a${cut}`, `(a${behind}`, 'BYLEX', 'LIMIT', 0, 1),
  ])
  const [classes, types] = await Promise.all([
    namesOf(redis, names.deadIndex, 'c'),
    namesOf(redis, names.deadIndex, 't'),
  ])
  return {
    dead,
    held: Math.max(0, all - dead),
    late,
    oldestMs: oldest === undefined ? undefined : placeOfMember(oldest).atMs,
    classes,
    types,
  }
}

async function namesOf(
  redis: GroupPlace['redis'],
  index: string,
  kind: 'c' | 't',
): Promise<readonly DeadCount[]> {
  const found: DeadCount[] = []
  let start = `[${kind}`
  while (found.length < mostNames) {
    const [first] = await redis.zrange(index, start, `(${next(kind)}`, 'BYLEX', 'LIMIT', 0, 1)
    if (first === undefined) break
    const value = first.slice(0, first.indexOf(cut))
    const count = await redis.zlexcount(index, `[${value}${cut}`, `(${value}${behind}`)
    found.push({ name: value.slice(1), count })
    start = `[${value}${behind}`
  }
  return found
}

// Kinds are single letters.
function next(kind: string): string {
  return String.fromCharCode(kind.charCodeAt(0) + 1)
}

/** What the index is asked for: a key has fewer items than a class, a class fewer than a type. */
function valueOf({ key, reasonClass, type }: DeadFilter): string {
  if (key !== undefined) return `k${key}`
  if (reasonClass !== undefined) return `c${reasonClass}`
  return type === undefined ? 'a' : `t${type}`
}

function startOf(value: string, after: string | undefined, fromMs = 0): string {
  if (after === undefined) return `[${value}${cut}${padded(fromMs)}`
  const [atMs = 0, seq = 0] = after.split(' ').map(Number)
  return `[${value}${cut}${padded(atMs)}${padded(seq + 1)}`
}

type Placed = Pick<DeadFacts, 'status' | 'seq' | 'atMs' | 'key'>

function placeOfMember(member: string): Placed {
  const tail = member.slice(member.indexOf(cut) + 1)
  return {
    atMs: Number(tail.slice(0, 15)),
    seq: Number(tail.slice(15, 30)),
    status: tail[30] === 'd' ? 'dead' : 'held',
    key: tail.slice(31),
  }
}

/** Loads what the filter may want; what has been settled meanwhile is not there any more. */
async function itemsAt(
  { redis, names }: GroupPlace,
  places: readonly Placed[],
  filter: DeadFilter,
): Promise<readonly DeadItem[]> {
  const wanted = places.filter(({ status }) => (filter.status ?? status) === status)
  const loaded = await Promise.all(
    wanted.map(async ({ status, seq, key }) => {
      if (status === 'held') {
        const text = await redis.hget(names.parked, key)
        return text === null ? undefined : heldItemOf(decodeParked(key, text))
      }
      const [text] = await redis.zrangebyscore(names.dead, seq, seq)
      return text === undefined ? undefined : deadItemOf(JSON.parse(text) as DeadLetter)
    }),
  )
  return loaded.filter((item) => item !== undefined).filter((item) => fits(item, filter))
}

function padded(number: number): string {
  return String(Math.max(0, Math.trunc(number))).padStart(15, '0')
}
