import type { ServiceFactory } from '../service-factory.ts'

const dayMs = 24 * 60 * 60 * 1_000

/** The authority of purchase orders and stock. */
export const purchasingService: ServiceFactory = {
  name: 'purchasing',
  summary: 'purchase orders and stock, in a central database of its own',
  needs: ['postgres'],
  ports: [{ setting: 'PURCHASING_PORT' }],
  start: async (context) => {
    const { settings, secrets, kit, databaseUrl } = context
    const { createPurchasing, forgetAnswers, openCentralDatabase, openSnapshot, seedWhenEmpty } =
      await import('@millrace-app/purchasing')
    const { freshId, systemTimers } = await import('@millrace/event')
    const { serveHttp } = await import('@millrace/hono')
    const http = kit.http('purchasing')
    const database = await openCentralDatabase({
      url: databaseUrl,
      applicationName: 'purchasing',
      onError: (error) => http.logger.warn('A connection to PostgreSQL was lost', { err: error }),
    })
    await database.prepare()
    const today = () => new Date().toISOString().slice(0, 10)
    await seedWhenEmpty(database, settings.PURCHASING_SEED, today())
    const app = createPurchasing({
      database,
      snapshot: () => openSnapshot(databaseUrl, database.schema),
      http,
      tokens: [secrets.SERVICE_TOKEN],
      newId: () => `N${freshId()}`,
      today,
    })
    let cancel = (): void => undefined
    let sweeping: Promise<void> | undefined
    const sweep = (): void => {
      sweeping = database
        .write(freshId(), (queries) => forgetAnswers(queries, 30))
        .catch((error: unknown) => http.logger.warn('Old answers could not be forgotten', { err: error }))
      cancel = systemTimers.set(dayMs, sweep)
    }
    sweep()
    context.publish('purchasing', (request) => app.fetch(request, {}))
    const { HOST: host, PURCHASING_PORT: port } = settings
    const listening = await serveHttp(app, { host, port, portVariable: 'PURCHASING_PORT' })
    return {
      stop: async () => {
        cancel()
        await listening.stop()
        await sweeping
        await database.close()
      },
    }
  },
}
