import { Redis, type RedisOptions } from 'ioredis'
import { serverOf } from './address.ts'
import { connectorTo } from './connector.ts'

/** Time limit of a command and of a connect unless the options say otherwise, in ms. */
export const defaultTimeoutMs = 5_000

/** How long a disconnect waits for the other side, in ms. Whoever hangs does not say goodbye. */
const disconnectTimeoutMs = 200

/** Options of a connection to Redis. */
export interface ConnectionOptions {
  /** `redis://`, `rediss://` or `unix://` address, with password where needed, or a socket's bare path. */
  readonly url: string
  /** How long a command may take before its result counts as unknown, in ms. Default 5,000. */
  readonly commandTimeoutMs?: number
  /** How long to try to connect, in ms. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** Name of the connection, shown by CLIENT LIST. */
  readonly name?: string
  /** Called for each connection error; the connection goes on trying. */
  readonly onError?: (error: Error) => void
}

/**
 * A connection for writing. Nothing is sent twice behind our back: no resend after a reconnect and no offline
 * queue (as it comes, ioredis 6 turned one XADD into two, and ran commands that it had rejected).
 * A connection that does not answer within the time limit is replaced, and so is one to a server that has become
 * a replica: the address may lead to another one by now.
 */
export function writingConnection(options: ConnectionOptions): Redis {
  const timeoutMs = options.commandTimeoutMs ?? defaultTimeoutMs
  return connection(options, {
    commandTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
}

/** A connection for blocking reads, which have time limits of their own. */
export function readingConnection(options: ConnectionOptions): Redis {
  return connection(options, {})
}

function connection(options: ConnectionOptions, special: RedisOptions): Redis {
  const all: RedisOptions & { replyMapping: 'legacy' } = {
    ...serverOptions(options.url),
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: options.connectTimeoutMs ?? defaultTimeoutMs,
    retryStrategy: (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000),
    ...(options.name === undefined ? {} : { connectionName: options.name }),
    ...special,
    replyMapping: 'legacy',
  }
  const redis = new Redis(all)
  // Without a listener ioredis prints to the console; who owns the connection decides what to say.
  redis.on('error', options.onError ?? (() => undefined))
  return redis
}

/**
 * What ioredis needs to reach the server of an address, read here and nowhere else: place, login, TLS, and a connector
 * that hears all errors of a socket. For whoever opens connections of its own kind.
 *
 * @throws TypeError for what is no address of Redis, without repeating it
 */
export function serverOptions(url: string): RedisOptions {
  const server = serverOf(url)
  return {
    ...server,
    Connector: connectorTo(server, disconnectTimeoutMs),
    disconnectTimeout: disconnectTimeoutMs,
  }
}

/** Waits until a connection can take commands, or fails after its connect time limit. */
export async function whenReady(redis: Redis, timeoutMs = defaultTimeoutMs): Promise<void> {
  if (redis.status === 'ready') return
  if (redis.status === 'end') throw new Error('The connection to Redis has ended')
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer)
      redis.off('ready', ready)
      redis.off('end', ended)
      act()
    }
    const ready = () => settle(resolve)
    const ended = () => settle(() => reject(new Error('The connection to Redis has ended')))
    const timer = setTimeout(
      () => settle(() => reject(new Error(`Redis did not answer within ${timeoutMs} ms`))),
      timeoutMs,
    )
    redis.on('ready', ready)
    redis.on('end', ended)
  })
}

/**
 * Opens a connection for writing.
 *
 * @throws Error when Redis cannot be reached within the connect time limit; nothing stays open then
 */
export async function openWriting(options: ConnectionOptions): Promise<Redis> {
  const redis = writingConnection(options)
  try {
    await whenReady(redis, options.connectTimeoutMs)
    return redis
  } catch (error) {
    redis.disconnect()
    throw error
  }
}

const goodbyeMs = 1_000

/** Ends a connection: politely, and at once if Redis does not answer. */
export async function closeConnection(redis: Redis): Promise<void> {
  if (redis.status === 'ready') {
    const impatience = setTimeout(() => redis.disconnect(), goodbyeMs)
    try {
      await redis.quit()
      return
    } catch {
      // The server hangs, or went away between the look and the word: there is nobody to be polite to.
    } finally {
      clearTimeout(impatience)
    }
  }
  redis.disconnect()
}
