import type { ServiceFactory } from '../service-factory.ts'
import manifest from '../../package.json' with { type: 'json' }

/** The operator's addresses of the process that it runs in. */
export const opsService: ServiceFactory = {
  name: 'ops',
  summary: 'operations: /health/live, /health/ready, /metrics',
  needs: [],
  ports: [{ setting: 'OPS_PORT', shows: 'Operations' }],
  start: async ({ settings, kit }) => {
    const { opsApp, serveHttp } = await import('@millrace/hono')
    const { health, metrics } = kit
    const app = opsApp({
      health,
      metrics,
      version: manifest.version,
      http: { ...kit.http('ops'), requestLogLevel: 'debug' },
    })
    const listener = await serveHttp(app, {
      host: settings.HOST,
      port: settings.OPS_PORT,
      portVariable: 'OPS_PORT',
    })
    return { stop: () => listener.stop() }
  },
}
