import type { ServiceFactory } from '../service-factory.ts'

/** Stands before the log and judges claims. */
export const uniqService: ServiceFactory = {
  name: 'uniq',
  summary: 'guards unique values, and appends what they allow',
  needs: ['redis'],
  ports: [{ setting: 'UNIQ_PORT' }],
  start: async (context) => {
    const { settings, secrets, kit } = context
    const { createUniqApp, createUniqService } = await import('@millrace-app/uniq')
    const { serveHttp } = await import('@millrace/hono')
    const { accountsGuard } = await import('../guards.ts')
    const guard = await accountsGuard(context)
    // Less than the 2 s for which user-command waits for one answer.
    const service = createUniqService({ guards: [guard], repeat: { timeoutMs: 1_500 } })
    const http = { ...kit.http('uniq'), requestLogLevel: 'debug' as const }
    const app = createUniqApp({ service, http, tokens: [secrets.SERVICE_TOKEN] })
    context.publish('uniq', (request) => app.fetch(request))
    const listener = await serveHttp(app, {
      host: settings.HOST,
      port: settings.UNIQ_PORT,
      portVariable: 'UNIQ_PORT',
    })
    return { stop: () => listener.stop() }
  },
}
