import { MillraceError } from '@millrace/event'
import { supply } from '@millrace-app/restocking/topics'
import type { JobRuling } from '@millrace-app/console'
import type { Hono } from 'hono'
import type { KitEnv } from '@millrace/hono'
import { serviceGroups, serviceTopics } from '../landscape.ts'
import { peerClient } from '../peers.ts'
import { mailProvider } from '../provider-board.ts'
import type { RunningService, ServiceContext } from '../service-factory.ts'

/** Groups whose parked keys are shown, and what they do to the outside world. */
const shownGroups = serviceGroups.map(({ topic, group }) => ({
  topic: topic.name,
  group,
  effects: group === 'mail' ? [mailProvider] : [],
}))

/** States of jobs that are counted for the metrics. */
const queueStates = ['waiting', 'active', 'delayed', 'failed'] as const

/** What there is besides health and metrics; each asks for a token. */
export const consoleAddresses = [
  { path: '/queues/', shows: 'the queues of retries and effects (asks for CONSOLE_TOKEN)' },
  { path: '/dead-letters', shows: 'dead letters and their repair, as JSON (asks for CONSOLE_TOKEN)' },
  { path: '/effects', shows: 'dead effects and their repair, as JSON (asks for CONSOLE_TOKEN)' },
]

/** Mounts the operator's pages on the operations listener. */
export async function mountConsole(app: Hono<KitEnv>, context: ServiceContext): Promise<RunningService> {
  const { secrets, redisUrl, kit } = context
  const { consolePath, createConsole, createRepairsApi, repairPaths, tokenAccess } =
    await import('@millrace-app/console')
  const { openDashboardQueues } = await import('@millrace/bullmq')
  const { serverOptions } = await import('@millrace/redis')
  const { purposeKey } = await import('@millrace/service')
  const logger = kit.logger.child({ service: 'console' })
  const dashboard = openDashboardQueues({
    redis: serverOptions(redisUrl),
    secret: purposeKey(secrets.MILLRACE_SECRET, 'retry'),
    groups: shownGroups,
    onTrouble: (error) => logger.warn('The queues cannot be reached', { err: error }),
  })
  for (const { queue } of dashboard.queues)
    kit.meters.watchQueue(queue.name, () => queue.getJobCounts(...queueStates))
  const rule = async ({ id, kind, data }: JobRuling, actor: string): Promise<void> => {
    const ref = dashboard.refOf(data)
    const topic = serviceTopics.find(({ name }) => name === ref?.topic)
    if (ref === undefined || topic === undefined)
      throw new MillraceError('request.forbidden', 'This job names no event of this system')
    const { partition, group, key, parkNo, head } = ref
    const reason = kind === 'ignored' ? 'Its job was removed on the dashboard' : 'Retried on the dashboard'
    const store = await kit.groups()
    const at = { topic, partition, group }
    const { status } = await store.rule(at, { id, kind, key, parkNo, seq: head, by: actor, reason })
    logger.info(`A job was ruled on: ${kind}`, { group, partition, seq: head, status })
  }
  const tokens = { operator: [secrets.CONSOLE_TOKEN], viewer: [secrets.CONSOLE_VIEWER_TOKEN] }
  app.route(consolePath, createConsole({ queues: dashboard.queues, tokens, rule }))
  const access = tokenAccess(tokens)
  for (const path of repairPaths) app.use(path, access.guard)
  const [store, log] = await Promise.all([kit.groups(), kit.log()])
  const { orderSources, purchasingClient } = await import('@millrace-app/restocking')
  const orders = purchasingClient(peerClient(context, 'purchasing', { token: secrets.SERVICE_TOKEN }))
  app.route(
    '/',
    createRepairsApi({
      store,
      log,
      groups: serviceGroups,
      // Orders are purchasing's: it says how they are now.
      sources: { [supply.name]: orderSources(orders) },
      actorOf: (c) => access.actorOf(c),
    }),
  )
  return { stop: () => dashboard.close() }
}
