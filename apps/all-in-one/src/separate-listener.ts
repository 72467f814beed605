import { type FetchApp, serveHttp } from '@millrace/hono'
import type { RunningService, ServiceContext } from './service-factory.ts'
import type { PortSetting } from './settings.ts'

/** Publishes an app to the services of this process, and listens with it when it has the process to itself. */
export async function listenWhenSeparate(
  context: ServiceContext,
  name: string,
  portVariable: PortSetting,
  app: FetchApp,
): Promise<RunningService> {
  context.publish(name, (request) => app.fetch(request, {}))
  if (context.together.includes('gateway')) return { stop: async () => undefined }
  const { HOST: host, [portVariable]: port } = context.settings
  const listener = await serveHttp(app, { host, port, portVariable })
  return { stop: () => listener.stop() }
}
