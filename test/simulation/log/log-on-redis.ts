import { createMemoryLog, type EventLog, type MemoryLog, prepareBatch } from '@millrace/log'
import type { Redis } from 'ioredis'
import { Appender } from '../../../packages/redis/src/append.ts'
import { CreateAppender } from '../../../packages/redis/src/append-creates.ts'
import { writeFailure } from '../../../packages/redis/src/failure.ts'
import { setFence } from '../../../packages/redis/src/fence.ts'
import { Gather } from '../../../packages/redis/src/gather.ts'
import { Keys } from '../../../packages/redis/src/keys.ts'
import { connectLog, type RedisLog } from '../../../packages/redis/src/redis-log.ts'
import { Script } from '../../../packages/redis/src/script.ts'
import { watched } from '../simulated-server.ts'
import { Twins } from '../twins.ts'
import { logHarms } from './log-harms.ts'
import { type LogServer, windowMs } from './log-server.ts'

/** Texts of scripts that are not to run as they are. */
export interface ChangedScripts {
  readonly append?: string
  readonly creates?: string
  readonly fence?: string
}

/** Logs on a real Redis with the real scripts, one after the other, each beside one in memory that has to agree. */
export class LogsOnRedis {
  readonly #redis: Redis
  readonly #url: string
  #log: RedisLog | undefined

  constructor(redis: Redis, url: string) {
    this.#redis = redis
    this.#url = url
  }

  async close(): Promise<void> {
    await this.#log?.close()
  }

  /** An empty one. */
  async fresh(changed: ChangedScripts = {}): Promise<LogServer> {
    await this.#log?.close()
    await this.#redis.flushall('SYNC')
    let time = 0
    const now = () => time
    const log = await connectLog({ url: this.#url, dedupeWindowMs: windowMs, now })
    this.#log = log
    const memory = createMemoryLog({ clock: { now }, dedupeWindowMs: windowMs })
    const real: MemoryLog = Object.keys(changed).length === 0 ? log : this.#changed(log, changed, now)
    const twins = new Twins<MemoryLog>(memory, real)
    const claims = new Twins(memory.claims, real.claims)
    return {
      log: watched(twins.store, { claims: claims.store }),
      setTime: (nowMs) => {
        time = nowMs
      },
      harms: logHarms(this.#redis, twins),
    }
  }

  /** The log with other scripts. Several partitions are appended to one after the other, by the script for one. */
  #changed(log: RedisLog, { append, creates, fence }: ChangedScripts, now: () => number): RedisLog {
    const bounds = { dedupeWindowMs: windowMs, dedupeIds: 1_000_000, packEvents: 100, packBytes: 65_536, now }
    const given = [this.#redis, new Keys(), bounds] as const
    const appender = new Appender(
      ...given,
      append === undefined ? undefined : new Script('append.lua', append),
    )
    const creator = new CreateAppender(
      ...given,
      creates === undefined ? undefined : new Script('append-creates.lua', creates),
    )
    const gather = new Gather(async (topic, parts, kind) => {
      if (kind) return creator.parts(topic, parts, kind)
      const answers = []
      for (const { partition, units } of parts)
        answers.push(
          await appender
            .units(topic, partition, units)
            .catch((error: unknown) => writeFailure(error, `${topic.name}/${partition}`)),
        )
      return answers
    })
    const replaced: Pick<EventLog, 'append' | 'appendChannel' | 'fence'> = {
      fence: (topic, partition, one) => {
        const { channels } = new Keys().partition(topic, partition)
        return setFence(
          this.#redis,
          channels,
          one,
          fence === undefined ? undefined : new Script('fence.lua', fence),
        )
      },
      append: (topic, units) => gather.append(topic, units),
      appendChannel: async (topic, batch) => {
        try {
          return await appender.channel(topic, batch, prepareBatch(topic, batch))
        } catch (error) {
          throw writeFailure(error, `${topic.name}/${batch.partition}`)
        }
      },
    }
    return watched(log, replaced)
  }
}
