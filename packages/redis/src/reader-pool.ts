import { MillraceError } from '@millrace/event'
import type { Redis } from 'ioredis'
import {
  closeConnection,
  type ConnectionOptions,
  defaultTimeoutMs,
  readingConnection,
  whenReady,
} from './connection.ts'

/** Connections for blocking reads: one a read that is under way, kept for the next one. */
export class ReaderPool {
  readonly #options: ConnectionOptions
  readonly #most: number
  readonly #idle: Redis[] = []
  readonly #busy = new Set<Redis>()
  #closed = false

  constructor(options: ConnectionOptions, most = 64) {
    this.#options = options
    this.#most = most
  }

  /** Runs a blocking read of at most `waitMs`. An abort or a hang costs the connection, nothing else. */
  async run<T>(
    waitMs: number,
    signal: AbortSignal | undefined,
    read: (redis: Redis) => Promise<T>,
    aborted: T,
  ): Promise<T> {
    if (signal?.aborted) return aborted
    const redis = await this.#take()
    // Asked again, because the signal may have come while the connection was made.
    if (signal?.aborted) {
      this.#giveBack(redis)
      return aborted
    }
    let cut = false
    const abort = () => {
      cut = true
      redis.disconnect()
    }
    signal?.addEventListener('abort', abort, { once: true })
    // The answer may take the time limit of a command longer than the read asked for; then the connection hangs.
    const graceMs = this.#options.commandTimeoutMs ?? defaultTimeoutMs
    const hung = setTimeout(() => redis.disconnect(), waitMs + graceMs)
    try {
      return await read(redis)
    } catch (error) {
      if (cut || this.#closed) return aborted
      redis.disconnect()
      throw error
    } finally {
      clearTimeout(hung)
      signal?.removeEventListener('abort', abort)
      this.#giveBack(redis)
    }
  }

  #giveBack(redis: Redis): void {
    this.#busy.delete(redis)
    if (redis.status === 'ready' && !this.#closed) this.#idle.push(redis)
    else redis.disconnect()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const redis of this.#busy) redis.disconnect()
    await Promise.all(this.#idle.splice(0).map(closeConnection))
  }

  async #take(): Promise<Redis> {
    let redis = this.#idle.pop()
    while (redis && redis.status !== 'ready') {
      redis.disconnect()
      redis = this.#idle.pop()
    }
    if (!redis) {
      if (this.#closed) throw new MillraceError('log.unavailable', 'The log is closed')
      if (this.#busy.size >= this.#most)
        throw new MillraceError('log.unavailable', `There are ${this.#most} blocking reads already`)
      redis = readingConnection(this.#options)
    }
    this.#busy.add(redis)
    try {
      await whenReady(redis, this.#options.connectTimeoutMs)
      return redis
    } catch (error) {
      this.#busy.delete(redis)
      redis.disconnect()
      throw error
    }
  }
}
