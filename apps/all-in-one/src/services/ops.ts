import type { ServiceFactory } from '../service-factory.ts'
import { mountConsole } from './console.ts'
import manifest from '../../package.json' with { type: 'json' }

/** The operator's addresses of the process that it runs in. */
export const opsService: ServiceFactory = {
  name: 'ops',
  summary: 'operations: /health/live, /health/ready, /metrics, and the queues under /queues',
  needs: [],
  ports: [{ setting: 'OPS_PORT', shows: 'Operations' }],
  start: async (context) => {
    const { settings, kit, redisUrl } = context
    const { opsApp, serveHttp } = await import('@millrace/hono')
    const { health, metrics } = kit
    const app = opsApp({
      health,
      metrics,
      version: manifest.version,
      http: { ...kit.http('ops'), requestLogLevel: 'debug' },
    })
    // Without Redis, as when it is the only service, there are no queues to show.
    const pages = redisUrl === '' ? undefined : await mountConsole(app, context)
    const listener = await serveHttp(app, {
      host: settings.HOST,
      port: settings.OPS_PORT,
      portVariable: 'OPS_PORT',
    })
    return {
      stop: async () => {
        await listener.stop()
        await pages?.stop()
      },
    }
  },
}
