import type { ServiceFactory } from '../service-factory.ts'

/** The lead system that leads are taken over from. */
export const legacyLeadsService: ServiceFactory = {
  name: 'legacy-leads',
  summary: 'the legacy lead system that buyers are taken over from, with its own data',
  needs: ['postgres'],
  ports: [{ setting: 'LEGACY_LEADS_PORT', shows: 'Legacy leads' }],
  start: async (context) => {
    const { settings, secrets, kit, databaseUrl } = context
    const { createLegacyLeads, openLegacyDatabase } = await import('@millrace-app/legacy-leads')
    const { serveHttp } = await import('@millrace/hono')
    const http = kit.http('legacy-leads')
    const database = await openLegacyDatabase({
      url: databaseUrl,
      applicationName: 'legacy-leads',
      onError: (error) => http.logger.warn('A connection to PostgreSQL was lost', { err: error }),
    })
    await database.prepare()
    const app = createLegacyLeads({
      database,
      http: { ...http, requestLogLevel: 'debug' },
      tokens: [secrets.SERVICE_TOKEN],
      adminTokens: [secrets.CONSOLE_TOKEN],
    })
    context.publish('legacy-leads', (request) => app.fetch(request))
    const listener = await serveHttp(app, {
      host: settings.HOST,
      port: settings.LEGACY_LEADS_PORT,
      portVariable: 'LEGACY_LEADS_PORT',
    })
    return {
      stop: async () => {
        await listener.stop()
        await database.close()
      },
    }
  },
}
