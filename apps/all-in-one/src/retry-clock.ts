import { accounts } from '@millrace/accounts'
import { type BullRetryClock, connectRetryClock } from '@millrace/bullmq'
import type { Topic } from '@millrace/event'
import { serverOptions } from '@millrace/redis'
import { purposeKey } from '@millrace/service'
import type { ServiceContext } from './service-factory.ts'

/** Connects the clock of a group's parked keys, of the accounts topic unless another is named. The service that asks closes it at its end. */
export async function retryClockOf(
  { kit, secrets, redisUrl }: ServiceContext,
  group: string,
  topic: Topic = accounts,
): Promise<BullRetryClock> {
  const logger = kit.logger.child({ service: group })
  const store = await kit.groups()
  const clock = await connectRetryClock({
    redis: serverOptions(redisUrl),
    topic: topic.name,
    group,
    secret: purposeKey(secrets.MILLRACE_SECRET, 'retry'),
    isParked: async ({ partition, key, parkNo }) => {
      const [stored] = await store.loadStates({ topic, partition, group }, [key])
      return stored?.parked?.no === parkNo
    },
    onTrouble: (error) => logger.warn('The queue of retries has trouble', { err: error }),
  })
  // Without it nothing is lost: the owners of the partitions plan again what is parked.
  kit.health.add({ name: `${group}-retries`, critical: false, check: () => clock.health() })
  return clock
}
