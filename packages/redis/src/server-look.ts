import type { Redis } from 'ioredis'
import { closeConnection, type ConnectionOptions, openWriting } from './connection.ts'

/** How the server is, as it says itself. */
export interface ServerFacts {
  /** How long a PING took on this connection, in ms. */
  readonly roundTripMs: number
  readonly memoryBytes: number
  /** 0: no limit. */
  readonly maxMemoryBytes: number
  /** `maxmemory-policy`. */
  readonly policy: string
  /** `appendfsync`; `off` without an append-only file, `unknown` where CONFIG is forbidden. */
  readonly fsync: string
  readonly evictedKeys: number
  readonly clients: number
  /** The last writes of snapshot and append-only file went well. */
  readonly written: boolean
}

/** Looks at a server, on a connection of its own. */
export interface ServerLook {
  /** @throws Error when the server does not answer in time */
  look(): Promise<ServerFacts>
  close(): Promise<void>
}

/** Connects for looking. @throws Error when Redis cannot be reached within the connect time limit */
export async function connectServerLook(options: ConnectionOptions): Promise<ServerLook> {
  const redis = await openWriting({ commandTimeoutMs: 1_500, ...options })
  return { look: () => look(redis), close: () => closeConnection(redis) }
}

async function look(redis: Redis): Promise<ServerFacts> {
  const from = performance.now()
  await redis.ping()
  const roundTripMs = performance.now() - from
  const [info, fsync] = await Promise.all([
    redis.info('memory', 'clients', 'persistence', 'stats'),
    redis.config('GET', 'appendfsync').then(
      (pair) => (Array.isArray(pair) ? String(pair[1]) : 'unknown'),
      // Providers forbid CONFIG.
      () => 'unknown',
    ),
  ])
  const facts = factsIn(info)
  const number = (name: string) => Number(facts.get(name) ?? 0)
  const well = (name: string) => (facts.get(name) ?? 'ok') === 'ok'
  return {
    roundTripMs,
    memoryBytes: number('used_memory'),
    maxMemoryBytes: number('maxmemory'),
    policy: facts.get('maxmemory_policy') ?? 'unknown',
    fsync: number('aof_enabled') === 0 ? 'off' : fsync,
    evictedKeys: number('evicted_keys'),
    clients: number('connected_clients'),
    written:
      well('rdb_last_bgsave_status') && well('aof_last_write_status') && well('aof_last_bgrewrite_status'),
  }
}

function factsIn(info: string): ReadonlyMap<string, string> {
  return new Map(
    info.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
    }),
  )
}
