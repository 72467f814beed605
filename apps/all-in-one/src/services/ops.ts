import { startCanary } from '../start-canary.ts'
import type { ServiceFactory } from '../service-factory.ts'
import { consoleAddresses, mountConsole } from './console.ts'
import { explainAddresses, mountExplain } from './explain.ts'

/** The operator's addresses of the process that it runs in. */
export const opsService: ServiceFactory = {
  name: 'ops',
  summary: 'operations: /health/live, /health/ready, /metrics, and the queues under /queues',
  needs: [],
  ports: [{ setting: 'OPS_PORT', shows: 'Operations' }],
  start: async (context) => {
    const { settings, redisUrl } = context
    const { serveHttp } = await import('@millrace/hono')
    const { operatorApp } = await import('../operator-app.ts')
    // Without Redis, as when it is the only service, there are no queues to show.
    const reached = redisUrl !== ''
    const app = operatorApp(context, 'ops', reached ? [...explainAddresses, ...consoleAddresses] : [])
    const pages = reached ? await mountConsole(app, context) : undefined
    const stories = reached ? await mountExplain(app, context) : undefined
    const canary = reached ? await startCanary(context) : undefined
    const listener = await serveHttp(app, {
      host: settings.HOST,
      port: settings.OPS_PORT,
      portVariable: 'OPS_PORT',
    })
    return {
      stop: async () => {
        await listener.stop()
        await canary?.stop()
        await stories?.stop()
        await pages?.stop()
      },
    }
  },
}
