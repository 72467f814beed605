import type { ServiceFactory } from '../service-factory.ts'

/** Stands before the log and judges claims. */
export const uniqService: ServiceFactory = {
  name: 'uniq',
  summary: 'guards unique values, and appends what they allow',
  needs: ['redis'],
  ports: [{ setting: 'UNIQ_PORT', shows: 'Uniq' }],
  start: async (context) => {
    const { settings, secrets, kit } = context
    const { createUniqApp, createUniqService } = await import('@millrace-app/uniq')
    const { serveHttp } = await import('@millrace/hono')
    const { accountsGuard } = await import('../guards.ts')
    const service = createUniqService({ guards: [await accountsGuard(context)] })
    const app = createUniqApp({ service, http: kit.http('uniq'), tokens: [secrets.SERVICE_TOKEN] })
    context.publish('uniq', (request) => app.fetch(request))
    const listener = await serveHttp(app, {
      host: settings.HOST,
      port: settings.UNIQ_PORT,
      portVariable: 'UNIQ_PORT',
    })
    return { stop: () => listener.stop() }
  },
}
