import { accounts } from '@millrace/accounts'
import { followed } from '../consumer-log.ts'
import { listenWhenSeparate } from '../separate-listener.ts'
import type { ServiceFactory } from '../service-factory.ts'

/** Owns the read model of users. */
export const userQueryService: ServiceFactory = {
  name: 'user-query',
  summary: 'owns the read model of users',
  needs: ['redis', 'postgres'],
  ports: [{ setting: 'USER_QUERY_PORT', whenSeparate: true }],
  start: async (context) => {
    const { secrets, kit, databaseUrl, member } = context
    const { accountViewLag, createUserQuery, openAccountView } = await import('@millrace-app/user-query')
    const { createSessionTokens } = await import('@millrace/accounts')
    const { purposeKey } = await import('@millrace/service')
    const http = kit.http('user-query')
    const view = await openAccountView({
      url: databaseUrl,
      applicationName: 'millrace user-query',
      onError: (error) => http.logger.warn('A connection to PostgreSQL was lost', { err: error }),
    })
    const { retryClockOf } = await import('../retry-clock.ts')
    const retryClock = await retryClockOf(context, 'user-query')
    const service = createUserQuery({
      retryClock,
      log: await kit.log(),
      groups: await kit.groups(),
      members: await kit.members(),
      freshName: () => member,
      view,
      sessions: createSessionTokens({ key: purposeKey(secrets.MILLRACE_SECRET, 'session') }),
      tokens: [secrets.SERVICE_TOKEN],
      http,
      observe: followed(http.logger),
    })
    await service.start()
    kit.meters.watchGroup({ topic: accounts, group: 'user-query', health: () => service.health() })
    kit.meters.watchView('user-query', async () => accountViewLag(await kit.log(), view))
    kit.health.add({ name: 'user-query', check: () => service.health() })
    const listening = await listenWhenSeparate(context, 'user-query', 'USER_QUERY_PORT', service.app)
    return {
      stop: async () => {
        await listening.stop()
        await service.stop()
        await retryClock.close()
        await view.close()
      },
    }
  },
}
