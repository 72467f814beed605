import { keepScopes, type TraceSampler } from '@millrace/event'
import {
  connectGroupStore,
  connectLog,
  connectMemberList,
  connectServerLook,
  connectStories,
  type RedisGroupStore,
  type RedisLog,
  type RedisMemberList,
  type RedisStories,
  type ServerLook,
} from '@millrace/redis'
import {
  contextStore,
  Health,
  type Logger,
  metricNames,
  Metrics,
  requestMeter,
  type ServiceRequestMeter,
} from '@millrace/service'
import { ProcessMeters } from '@millrace/service/meters'
import { ToldRequests } from './told-requests.ts'
import manifest from '../package.json' with { type: 'json' }

/** What the services of one process share: one connection to the log, one registry of metrics, one view of health. */
export interface ProcessKit {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly health: Health
  /** Counts and looks for the metrics; services say what of them there is to look at. */
  readonly meters: ProcessMeters
  /** The log; connected by the first who asks. */
  log(): Promise<RedisLog>
  /** Leases and positions of groups, on a connection of their own: no append stands before a commit. */
  groups(): Promise<RedisGroupStore>
  /** The list by which the members of groups share their partitions, on a connection of its own. */
  members(): Promise<RedisMemberList>
  /** What is remembered of events, on a connection of its own. */
  stories(): Promise<RedisStories>
  /** What the HTTP kit asks of a service: its own logger, context and counters. */
  http(service: string): HttpParts
  close(): Promise<void>
}

interface HttpParts {
  readonly logger: Logger
  readonly context: typeof contextStore & { readonly sampler: TraceSampler | undefined }
  readonly meter: ServiceRequestMeter
}

/**
 * Makes the kit of a process. Whoever makes it closes it, after its services. `sampler` decides which of the traces that
 * begin here are recorded; without it none.
 */
export function processKit(logger: Logger, redisUrl: string, sampler?: TraceSampler): ProcessKit {
  // Every line that a handler writes has the ids of its event.
  const letScopesGo = keepScopes()
  const metrics = new Metrics({ processMetrics: true, declared: Object.values(metricNames) })
  const health = new Health()
  let connecting: Promise<RedisLog> | undefined
  const connect = async () => {
    const log = await connectLog({ url: redisUrl, name: 'millrace' })
    health.add({ name: 'redis', check: () => log.ping() })
    return log
  }
  let connectingGroups: Promise<RedisGroupStore> | undefined
  let connectingMembers: Promise<RedisMemberList> | undefined
  let connectingStories: Promise<RedisStories> | undefined
  let connectingLook: Promise<ServerLook> | undefined
  const lookAtRedis = async () => {
    connectingLook ??= connectServerLook({ url: redisUrl, name: 'millrace-look' }).catch((error: unknown) => {
      // Tried again with the next scrape.
      connectingLook = undefined
      throw error
    })
    return (await connectingLook).look()
  }
  const log = () => (connecting ??= connect())
  const stories = () =>
    (connectingStories ??= connectStories({ url: redisUrl, name: 'millrace-stories' }).catch(
      (error: unknown) => {
        // Tried again with the next requests that are to be told.
        connectingStories = undefined
        throw error
      },
    ))
  const requests = redisUrl === '' ? undefined : new ToldRequests(stories, logger)
  const groups = () => (connectingGroups ??= connectGroupStore({ url: redisUrl, name: 'millrace-groups' }))
  const meters = new ProcessMeters({
    metrics,
    health,
    version: manifest.version,
    groups: async () => ({ store: await groups(), log: await log() }),
    redis: redisUrl === '' ? undefined : lookAtRedis,
  })
  return {
    logger,
    metrics,
    health,
    meters,
    log,
    groups,
    stories,
    members: () => (connectingMembers ??= connectMemberList({ url: redisUrl, name: 'millrace-members' })),
    http: (service) => ({
      logger: logger.child({ service }),
      context: { ...contextStore, sampler },
      meter: requests ? requests.of(service, requestMeter(metrics, service)) : requestMeter(metrics, service),
    }),
    close: async () => {
      meters.end()
      letScopesGo()
      // Whoever could not connect has said so already.
      const look = await connectingLook?.catch(() => undefined)
      await requests?.close()
      const told = await connectingStories?.catch(() => undefined)
      const log = await connecting?.catch(() => undefined)
      const groups = await connectingGroups?.catch(() => undefined)
      const members = await connectingMembers?.catch(() => undefined)
      await look?.close()
      await told?.close()
      await members?.close()
      await groups?.close()
      await log?.close()
    },
  }
}
