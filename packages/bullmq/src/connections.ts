import { Redis, type RedisOptions } from 'ioredis'

/** The connections of one queue: BullMQ's commands need other settings than its waiting does. */
export interface QueueConnections {
  /** For what is asked: fails within its time, and is not sent twice. */
  readonly asking: Redis
  /** For a worker, which waits for as long as it takes. BullMQ makes one more of it, and closes that. */
  readonly waiting: Redis
  close(): Promise<void>
}

/** What opens connections. */
export interface ConnectionOptions {
  /** How the server is reached: place, login, TLS and connector, as `serverOptions` of `@millrace/redis` has them. */
  readonly redis: RedisOptions
  /** What the connections are called on the server. */
  readonly name: string
  /** Time in ms after which a command has failed. */
  readonly timeoutMs: number
  /** Hears of connections that are lost; they come back by themselves. */
  readonly onTrouble: (error: unknown) => void
}

/** Opens a connection for commands. Whoever opens it closes it. */
export function openAsking({ redis, name, timeoutMs, onTrouble }: ConnectionOptions): Redis {
  const asking = new Redis({
    ...redis,
    connectionName: name,
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs,
    maxRetriesPerRequest: 1,
    // A command whose answer was lost is not sent again behind our back: whoever asked decides.
    autoResendUnfulfilledCommands: false,
    replyMapping: 'legacy',
  })
  asking.on('error', onTrouble)
  return asking
}

/** Opens the connections of a queue. Whoever opens them closes them. */
export function openConnections(options: ConnectionOptions): QueueConnections {
  const { redis, name, onTrouble } = options
  const asking = openAsking(options)
  const waiting = new Redis({
    ...redis,
    connectionName: `${name}-worker`,
    maxRetriesPerRequest: null,
    replyMapping: 'legacy',
  })
  waiting.on('error', onTrouble)
  return {
    asking,
    waiting,
    close: async () => {
      for (const connection of [asking, waiting]) await closeConnection(connection)
    },
  }
}

/** Closes a connection; the other end may be gone: no goodbye then. */
export async function closeConnection(connection: Redis): Promise<void> {
  if (connection.status === 'ready') await connection.quit().catch(() => undefined)
  connection.disconnect()
}
