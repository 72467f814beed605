import type { ServiceFactory } from '../service-factory.ts'
import { addressOf } from '../welcome.ts'

/** What the public reaches. */
export const gatewayService: ServiceFactory = {
  name: 'gateway',
  summary: 'public HTTP: the sign-up pages, the interface, producers and consumers of topics',
  needs: ['redis'],
  ports: [{ setting: 'GATEWAY_PORT', shows: 'Sign-up page' }],
  start: async (context) => {
    const { settings, secrets, kit } = context
    const { createGateway } = await import('@millrace-app/gateway')
    const { accounts } = await import('@millrace/accounts')
    const { offers, sales } = await import('@millrace-app/leads/topics')
    const { guardedLog } = await import('@millrace/uniq')
    const { serveHttp } = await import('@millrace/hono')
    const { accountsGuard } = await import('../guards.ts')
    const { peerClient } = await import('../peers.ts')
    const { logger, context: ids, meter } = kit.http('gateway')
    const app = createGateway({
      userCommand: peerClient(context, 'user-command'),
      userQuery: peerClient(context, 'user-query', { timeoutMs: 7_000 }),
      intake: {
        topics: [accounts, offers, sales],
        log: guardedLog(await kit.log(), [await accountsGuard(context)]),
        tokens: [secrets.INTAKE_TOKEN],
      },
      publicUrl: settings.PUBLIC_URL ?? addressOf(settings.HOST, settings.GATEWAY_PORT),
      cors: settings.CORS_ORIGINS,
      privateSignUp: settings.SIGNUP_PRIVACY === 'private',
      logger,
      context: ids,
      metrics: meter,
      ...(settings.CLIENT_LIMITS === 'off' ? { limits: { clients: false } } : {}),
    })
    const listener = await serveHttp(app, {
      host: settings.HOST,
      port: settings.GATEWAY_PORT,
      portVariable: 'GATEWAY_PORT',
    })
    return { stop: () => listener.stop() }
  },
}
