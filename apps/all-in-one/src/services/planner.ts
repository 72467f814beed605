import path from 'node:path'
import type { ServiceFactory } from '../service-factory.ts'
import { addressOf } from '../welcome.ts'

/** The page of those who plan restocking. */
export const plannerService: ServiceFactory = {
  name: 'planner',
  summary: "the planner's page of restocking suggestions",
  needs: [],
  ports: [{ setting: 'PLANNER_PORT', shows: 'Restocking' }],
  start: async (context) => {
    const { settings, secrets, kit } = context
    const { buildPage, createPlanner } = await import('@millrace-app/planner')
    const { knownHosts, serveHttp } = await import('@millrace/hono')
    const { HOST: host, PLANNER_PORT: port } = settings
    const elsewhere = settings.RESTOCKING_URL ?? addressOf(host, settings.RESTOCKING_PORT)
    const app = await createPlanner({
      page: await buildPage(path.resolve(settings.MILLRACE_HOME, 'planner')),
      restocking: {
        baseUrl: elsewhere,
        fetch: (request) => (context.peer('restocking') ?? fetch)(request),
        token: secrets.SERVICE_TOKEN,
      },
      hosts: knownHosts(host),
      http: kit.http('planner'),
    })
    const listener = await serveHttp(app, { host, port, portVariable: 'PLANNER_PORT' })
    return { stop: () => listener.stop() }
  },
}
