import type { Page } from '@millrace/log'
import {
  type DeadCount,
  type DeadCounts,
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
import { indexPage, type IndexPlace, placeOfMember, rangeOf, valueOfMember } from './lex-index.ts'
import { decodeParked } from './stored-texts.ts'

/** How many classes and types are named. */
const mostNames = 100

/** A page of what needs an operator: found by the narrowest index that the filter allows, then looked at. */
export function deadPage(
  at: GroupPlace,
  { after, limit = 100, filter = {} }: PageOptions & { readonly filter?: DeadFilter },
): Promise<Page<DeadItem>> {
  const { redis, names } = at
  const { fromMs, untilMs } = filter
  return indexPage(
    { redis, index: names.deadIndex, value: valueOf(filter), fromMs, untilMs, after, limit },
    (places) => itemsAt(at, places, filter),
    deadPlace,
  )
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
    redis.zlexcount(names.deadIndex, ...rangeOf('a')),
    redis.zcard(names.requeued),
    redis.zrange(names.deadIndex, ...rangeOf('a'), 'BYLEX', 'LIMIT', 0, 1),
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
    const value = valueOfMember(first)
    const [from, behind] = rangeOf(value)
    found.push({ name: value.slice(1), count: await redis.zlexcount(index, from, behind) })
    start = `[${behind.slice(1)}`
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

/** Loads what the filter may want; what has been settled meanwhile is not there any more. */
async function itemsAt(
  { redis, names }: GroupPlace,
  places: readonly IndexPlace[],
  filter: DeadFilter,
): Promise<readonly DeadItem[]> {
  // Behind the numbers of dead letters stands a d, behind those of held keys an h and the key.
  const wanted =
    filter.status === undefined ? places : places.filter(({ rest }) => rest[0] === filter.status?.[0])
  const loaded = await Promise.all(
    wanted.map(async ({ no, rest }) => {
      if (rest.startsWith('h')) {
        const key = rest.slice(1)
        const text = await redis.hget(names.parked, key)
        return text === null ? undefined : heldItemOf(decodeParked(key, text))
      }
      const [text] = await redis.zrangebyscore(names.dead, no, no)
      return text === undefined ? undefined : deadItemOf(JSON.parse(text) as DeadLetter)
    }),
  )
  return loaded.filter((item) => item !== undefined).filter((item) => fits(item, filter))
}
