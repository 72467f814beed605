import { MillraceError } from '@millrace/event'
import {
  type LeaseAnswer,
  type LeaseRequest,
  pipelineName,
  type PipelineOrders,
  type PipelineRecord,
  type PipelineStore,
} from '@millrace/source'
import type { Redis } from 'ioredis'
import { closeConnection, type ConnectionOptions, openWriting } from './connection.ts'
import { readFailure } from './failure.ts'
import { Keys } from './keys.ts'
import { PipelineLease } from './pipeline-lease.ts'

/** Options of {@link connectPipelineStore}. */
export interface RedisPipelineStoreOptions extends ConnectionOptions {
  /** First part of every key, the same as the log's. Default `mr`. */
  readonly prefix?: string
}

/** Leases of pipelines on Redis. It owns its connection; `close` ends it. */
export interface RedisPipelineStore extends PipelineStore {
  close(): Promise<void>
}

/**
 * Connects to Redis and answers the store of pipelines.
 *
 * @throws Error when Redis cannot be reached within the connect time limit
 */
export async function connectPipelineStore(options: RedisPipelineStoreOptions): Promise<RedisPipelineStore> {
  const redis = await openWriting(options)
  return new PipelinesOnRedis(redis, new Keys(options.prefix))
}

class PipelinesOnRedis implements RedisPipelineStore {
  readonly #redis: Redis
  readonly #keys: Keys
  readonly #lease: PipelineLease

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis
    this.#keys = keys
    this.#lease = new PipelineLease(redis)
  }

  take(request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#asked(request.pipeline, async (key) => {
      const answer = await this.#lease.take(key, request)
      // Another slot than the record's: whoever lists may see it a moment later.
      if (answer.status === 'leased') await this.#redis.sadd(this.#keys.pipelines, request.pipeline)
      return answer
    })
  }

  renew(
    pipeline: string,
    token: string,
    leaseMs: number,
    status: string,
  ): Promise<PipelineOrders | undefined> {
    return this.#asked(pipeline, async (key) => {
      const fields = await this.#lease.renew(key, token, leaseMs, status)
      return fields && ordersOf(recordOf(fields))
    })
  }

  release(pipeline: string, token: string, status: string): Promise<void> {
    return this.#asked(pipeline, (key) => this.#lease.release(key, token, status))
  }

  async list(): Promise<readonly PipelineRecord[]> {
    const names = await this.#failing(() => this.#redis.smembers(this.#keys.pipelines))
    const all = await Promise.all(names.toSorted().map((name) => this.look(name)))
    return all.filter((one) => one !== undefined)
  }

  look(pipeline: string): Promise<PipelineRecord | undefined> {
    return this.#asked(pipeline, async (key) => {
      const [fields, [seconds, micros]] = await Promise.all([this.#redis.hgetall(key), this.#redis.time()])
      if (Object.keys(fields).length === 0) return undefined
      const { holder, status = '' } = fields
      const nowMs = Number(seconds) * 1_000 + Number(micros) / 1_000
      const leftMs = Math.round(Number(fields['until'] ?? 0) - nowMs)
      return { pipeline, orders: ordersOf(fields), holder, leftMs, status }
    })
  }

  pause(pipeline: string): Promise<void> {
    return this.#asked(pipeline, async (key) => void (await this.#redis.hset(key, 'paused', '1')))
  }

  resume(pipeline: string): Promise<void> {
    return this.#asked(pipeline, async (key) => {
      await this.#redis.multi().hset(key, 'paused', '0').hincrby(key, 'resumed', 1).exec()
    })
  }

  restart(pipeline: string): Promise<void> {
    return this.#asked(pipeline, async (key) => {
      await this.#redis
        .multi()
        .hset(key, 'paused', '0')
        .hincrby(key, 'resumed', 1)
        .hincrby(key, 'restarted', 1)
        .exec()
    })
  }

  snapshot(pipeline: string, table: string): Promise<number> {
    return this.#asked(pipeline, async (key) => 1 + (await this.#redis.hincrby(key, `run:${table}`, 1)))
  }

  close(): Promise<void> {
    return closeConnection(this.#redis)
  }

  #asked<T>(pipeline: string, act: (key: string) => Promise<T>): Promise<T> {
    if (!pipelineName.test(pipeline))
      throw new MillraceError('stream.unknown', `"${pipeline}" is no name of a pipeline`)
    return this.#failing(() => act(this.#keys.pipeline(pipeline)))
  }

  async #failing<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw readFailure(error)
    }
  }
}

type Fields = Readonly<Record<string, string>>

function recordOf(list: readonly string[]): Fields {
  const fields: Record<string, string> = {}
  for (let at = 0; at < list.length; at += 2) fields[list[at] as string] = list[at + 1] as string
  return fields
}

function ordersOf(fields: Fields): PipelineOrders {
  const runs = Object.entries(fields).filter(([name]) => name.startsWith('run:'))
  return {
    paused: fields['paused'] === '1',
    resumed: Number(fields['resumed'] ?? 0),
    restarted: Number(fields['restarted'] ?? 0),
    snapshots: Object.fromEntries(runs.map(([name, value]) => [name.slice(4), 1 + Number(value)])),
  }
}
