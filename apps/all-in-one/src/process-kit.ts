import {
  connectGroupStore,
  connectLog,
  connectMemberList,
  type RedisGroupStore,
  type RedisLog,
  type RedisMemberList,
} from '@millrace/redis'
import {
  contextStore,
  Health,
  type Logger,
  Metrics,
  requestMeter,
  type ServiceRequestMeter,
} from '@millrace/service'

/** What the services of one process share: one connection to the log, one registry of metrics, one view of health. */
export interface ProcessKit {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly health: Health
  /** The log; connected by the first who asks. */
  log(): Promise<RedisLog>
  /** Leases and positions of groups, on a connection of their own: no append stands before a commit. */
  groups(): Promise<RedisGroupStore>
  /** The list by which the members of groups share their partitions, on a connection of its own. */
  members(): Promise<RedisMemberList>
  /** What the HTTP kit asks of a service: its own logger, context and counters. */
  http(service: string): HttpParts
  close(): Promise<void>
}

interface HttpParts {
  readonly logger: Logger
  readonly context: typeof contextStore
  readonly meter: ServiceRequestMeter
}

/** Makes the kit of a process. Whoever makes it closes it, after its services. */
export function processKit(logger: Logger, redisUrl: string): ProcessKit {
  const metrics = new Metrics({ processMetrics: true })
  const health = new Health()
  let connecting: Promise<RedisLog> | undefined
  const connect = async () => {
    const log = await connectLog({ url: redisUrl, name: 'millrace' })
    health.add({ name: 'redis', check: () => log.ping() })
    return log
  }
  let connectingGroups: Promise<RedisGroupStore> | undefined
  let connectingMembers: Promise<RedisMemberList> | undefined
  return {
    logger,
    metrics,
    health,
    log: () => (connecting ??= connect()),
    groups: () => (connectingGroups ??= connectGroupStore({ url: redisUrl, name: 'millrace-groups' })),
    members: () => (connectingMembers ??= connectMemberList({ url: redisUrl, name: 'millrace-members' })),
    http: (service) => ({
      logger: logger.child({ service }),
      context: contextStore,
      meter: requestMeter(metrics, service),
    }),
    close: async () => {
      // Whoever could not connect has said so already.
      const log = await connecting?.catch(() => undefined)
      const groups = await connectingGroups?.catch(() => undefined)
      const members = await connectingMembers?.catch(() => undefined)
      await members?.close()
      await groups?.close()
      await log?.close()
    },
  }
}
