import type { Redis } from 'ioredis'
import type { Client } from 'pg'
import { type Mark, marksIn } from './marks.ts'

/** Places by what of somebody stands there: `address`, `password`, the name of a secret. */
export type Found = ReadonlyMap<string, ReadonlySet<string>>

/** The places in Redis that hold a mark, each key without the numbers and ids in its name. */
export async function foundInRedis(redis: Redis, marks: readonly Mark[]): Promise<Found> {
  const found = new Map<string, Set<string>>()
  for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000)
    cursor = next
    for (const key of keys)
      note(found, `redis ${placeOf(key)}`, `${key} ${await contentOf(redis, key)}`, marks)
  }
  return found
}

/** The tables of PostgreSQL that hold a mark. */
export async function foundInPostgres(client: Client, marks: readonly Mark[]): Promise<Found> {
  const found = new Map<string, Set<string>>()
  const { rows } = await client.query<{ name: string; place: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name, schemaname || '.' || tablename AS place
     FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  )
  for (const { name, place } of rows) {
    const { rows: lines } = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`)
    note(found, `postgres ${place}`, lines.map(({ line }) => line).join('\n'), marks)
  }
  return found
}

function note(found: Map<string, Set<string>>, place: string, text: string, marks: readonly Mark[]): void {
  const held = marksIn(text, marks)
  if (held.length === 0) return
  const there = found.get(place) ?? new Set()
  for (const of of held) there.add(of)
  found.set(place, there)
}

/** `mr:{accounts}:3:key:01a2…` is `mr:{accounts}:<n>:key:<id>`. */
function placeOf(key: string): string {
  return key
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/(?<=[:.])\d+(?=$|[:.}])/g, '<n>')
}

async function contentOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return textOf(await redis.getBuffer(key))
    case 'hash':
      return textOf(await redis.hgetallBuffer(key))
    case 'list':
      return textOf(await redis.lrangeBuffer(key, 0, -1))
    case 'set':
      return textOf(await redis.smembersBuffer(key))
    case 'zset':
      return textOf(await redis.zrangeBuffer(key, '0', '-1'))
    case 'stream':
      return textOf(await redis.xrangeBuffer(key, '-', '+'))
    // It went while we looked.
    case 'none':
      return ''
    case 'unknown':
    default:
      throw new Error(`What is in ${key} cannot be read`)
  }
}

function textOf(content: unknown): string {
  if (Buffer.isBuffer(content)) return content.toString('latin1')
  if (Array.isArray(content)) return content.map(textOf).join('\n')
  if (typeof content !== 'object' || content === null) return String(content)
  return Object.entries(content)
    .map(([name, value]) => `${name} ${textOf(value)}`)
    .join('\n')
}
