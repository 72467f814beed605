import type { RetryRef } from '@millrace/retry'
import { Queue } from 'bullmq'
import type { RedisOptions } from 'ioredis'
import { closeConnection, openAsking } from './connections.ts'
import { type JobData, refOf } from './job-data.ts'
import { effectQueue, type QueuePlace, retryQueue } from './queue-place.ts'
import { KeySeal } from './sealed-key.ts'

/** Whose queues are to be shown. */
export interface DashboardGroup {
  readonly topic: string
  readonly group: string
  /** Names of the effects that it may record. */
  readonly effects?: readonly string[]
}

/** What a dashboard needs. */
export interface DashboardQueuesOptions {
  /** How Redis is reached, as `serverOptions` of `@millrace/redis` reads it from an address. */
  readonly redis: RedisOptions
  /** The one of the clocks. */
  readonly secret: string | Uint8Array
  readonly groups: readonly DashboardGroup[]
  /** What the keys of all queues begin with. Default `millrace-queues`. */
  readonly prefix?: string
  readonly onTrouble?: (error: unknown) => void
}

/** A queue to look at. */
export interface DashboardQueue {
  /** Jobs of parked keys, or the one record of an effect whose other end is away. */
  readonly kind: 'retry' | 'effect'
  readonly queue: Queue
}

/** The queues of groups, to be looked at: nothing is run here. */
export interface DashboardQueues {
  readonly queues: readonly DashboardQueue[]
  /** Which head a job of a retry queue is about. */
  refOf(data: unknown): RetryRef | undefined
  close(): Promise<void>
}

/** Opens the queues of groups for a dashboard, on one connection. Nothing is asked before somebody looks. */
export function openDashboardQueues(options: DashboardQueuesOptions): DashboardQueues {
  const { redis, groups, prefix, onTrouble = () => undefined } = options
  const seal = new KeySeal(options.secret)
  const connection = openAsking({ redis, name: 'millrace-dashboard', timeoutMs: 5_000, onTrouble })
  const opened = (kind: DashboardQueue['kind'], place: QueuePlace): DashboardQueue => {
    const queue = new Queue(place.name, { connection, prefix: place.prefix, skipMetasUpdate: true })
    queue.on('error', onTrouble)
    return { kind, queue }
  }
  const queues = groups.flatMap(({ topic, group, effects = [] }) => [
    opened('retry', retryQueue(topic, group, prefix)),
    ...effects.map((effect) => opened('effect', effectQueue(group, effect, prefix))),
  ])
  return {
    queues,
    refOf: (data) => (isJobData(data) ? refOf(data, seal) : undefined),
    close: async () => {
      await Promise.all(queues.map(({ queue }) => queue.close().catch(onTrouble)))
      await closeConnection(connection)
    },
  }
}

function isJobData(data: unknown): data is JobData {
  return typeof data === 'object' && data !== null && 'parkNo' in data && 'key' in data
}
