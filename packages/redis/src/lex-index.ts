import type { Redis } from 'ioredis'

// Members of the indexes are as dead-index.lua and effect-index.lua say: "<kind><value>", the character 30, two numbers of
// 15 digits, and perhaps more.
const cut = '\u001e'
const behind = '\u001f'

/** How many members of an index a call looks at, in pages. */
const mostPages = 20

/** Where a member stands in its list. */
export interface IndexPlace {
  readonly atMs: number
  readonly no: number
  /** What follows the two numbers. */
  readonly rest: string
}

/** What of an index is asked for. */
export interface IndexRange {
  readonly redis: Redis
  /** Name of the sorted set. */
  readonly index: string
  /** Kind and value. */
  readonly value: string
  readonly fromMs: number | undefined
  readonly untilMs: number | undefined
  /** As a page's `next` says it. */
  readonly after: string | undefined
  readonly limit: number
}

/** A page of what an index leads to: `load` answers the items of members that are there still and fit. */
export async function indexPage<T>(
  { redis, index, value, fromMs, untilMs, after, limit }: IndexRange,
  load: (places: readonly IndexPlace[]) => Promise<readonly T[]>,
  placeOf: (item: T) => string,
): Promise<{ readonly items: readonly T[]; readonly next: string | undefined }> {
  const end = untilMs === undefined ? `(${value}${behind}` : `(${value}${cut}${padded(untilMs + 1)}`
  const items: T[] = []
  let place = after
  for (let page = 0; page < mostPages; page += 1) {
    const start = startOf(value, place, fromMs)
    const members = await redis.zrange(index, start, end, 'BYLEX', 'LIMIT', 0, limit)
    const last = members.at(-1)
    if (last === undefined) return { items, next: undefined }
    for (const item of await load(members.map(placeOfMember))) {
      items.push(item)
      if (items.length === limit) return { items, next: placeOf(item) }
    }
    if (members.length < limit) return { items, next: undefined }
    const { atMs, no } = placeOfMember(last)
    place = `${atMs} ${no}`
  }
  return { items, next: place }
}

/** All members of a kind and value, as ranges of `ZLEXCOUNT` and its kin. */
export function rangeOf(value: string): readonly [from: string, to: string] {
  return [`[${value}${cut}`, `(${value}${behind}`]
}

/** What stands before the numbers. */
export function valueOfMember(member: string): string {
  return member.slice(0, member.indexOf(cut))
}

export function placeOfMember(member: string): IndexPlace {
  const tail = member.slice(member.indexOf(cut) + 1)
  return { atMs: Number(tail.slice(0, 15)), no: Number(tail.slice(15, 30)), rest: tail.slice(30) }
}

function startOf(value: string, after: string | undefined, fromMs = 0): string {
  if (after === undefined) return `[${value}${cut}${padded(fromMs)}`
  const [atMs = 0, no = 0] = after.split(' ').map(Number)
  return `[${value}${cut}${padded(atMs)}${padded(no + 1)}`
}

function padded(number: number): string {
  return String(Math.max(0, Math.trunc(number))).padStart(15, '0')
}
