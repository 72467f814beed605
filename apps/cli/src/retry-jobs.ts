import { MillraceError } from '@millrace/event'
import { openDashboardQueues, retryQueue } from '@millrace/bullmq'
import type { GroupJobs } from '@millrace/processor'
import { serverOptions } from '@millrace/redis'
import { purposeKey } from '@millrace/service'
import { groupsNamed } from './log-system.ts'
import type { RunningSystem } from './running-system.ts'

const page = 200
const states = ['wait', 'active', 'delayed', 'prioritized', 'failed'] as const

/** The jobs of the services' groups, as their queues have them. `close` ends the connection. */
export interface RetryJobs extends GroupJobs {
  close(): Promise<void>
}

/**
 * Opens the queues of retries to be listed; undefined where the secret that their keys are sealed with is not known.
 * Listing throws MillraceError `settings.invalid` where another secret was used.
 *
 * @throws MillraceError `settings.invalid` for what is no secret, or no address of Redis
 */
export function openRetryJobs({ redisUrl, secret }: RunningSystem): RetryJobs | undefined {
  if (secret === undefined) return undefined
  const groups = groupsNamed(undefined, undefined).map(({ topic, group }) => ({ topic: topic.name, group }))
  const redis = meant('REDIS_URL', () => serverOptions(redisUrl))
  const key = meant('MILLRACE_SECRET', () => purposeKey(secret, 'retry'))
  const opened = openDashboardQueues({ redis, secret: key, groups })
  return {
    async *jobsOf({ topic, group, partition, generation = 0 }) {
      const { name } = retryQueue(topic.name, group)
      const queue = opened.queues.find((one) => one.queue.name === name)?.queue
      if (!queue) return
      for (const state of states)
        for (let from = 0; ; from += page) {
          const jobs = await queue.getJobs([state], from, from + page - 1, true)
          for (const job of jobs) {
            // One that has just ended is gone.
            if (job === undefined) continue
            const ref = opened.refOf(job.data)
            if (!ref)
              throw new MillraceError(
                'settings.invalid',
                `A job of ${name} is sealed with another MILLRACE_SECRET`,
              )
            if (ref.partition === partition && ref.generation === generation) yield ref
          }
          if (jobs.length < page) break
        }
    },
    close: () => opened.close(),
  }
}

/** What a setting means. @throws MillraceError `settings.invalid`, without its value */
function meant<T>(setting: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new MillraceError('settings.invalid', `${setting}: ${cause.message}`, { cause })
  }
}
