import { logLevelRoutes, type OpsAddress, opsApp, serveHttp } from '@millrace/hono'
import { logLevels } from '@millrace/service'
import type { RunningService, ServiceContext } from './service-factory.ts'
import type { PortSetting } from './settings.ts'
import manifest from '../package.json' with { type: 'json' }

/** The operator's addresses of this process: `/health/live`, `/health/ready`, `/metrics`, `/log-level`. */
export function operatorApp(
  { kit, secrets }: Pick<ServiceContext, 'kit' | 'secrets'>,
  service: string,
  addresses: readonly OpsAddress[] = [],
): ReturnType<typeof opsApp> {
  const { health, metrics } = kit
  const app = opsApp({
    health,
    metrics,
    version: manifest.version,
    addresses: [...addresses, logLevelAddress],
    http: { ...kit.http(service), requestLogLevel: 'debug' },
  })
  const tokens = [secrets.CONSOLE_TOKEN, secrets.SERVICE_TOKEN]
  return app.route('/', logLevelRoutes({ logger: kit.logger, levels: logLevels, tokens }))
}

const logLevelAddress: OpsAddress = {
  path: '/log-level',
  shows: 'how much is logged; PUT sets it (asks for CONSOLE_TOKEN or SERVICE_TOKEN)',
}

/** Listens with them for a service that has no other address, unless the operations service is in its process. */
export async function listenForOperator(
  context: Pick<ServiceContext, 'kit' | 'secrets' | 'settings' | 'together'>,
  service: string,
  portVariable: PortSetting,
): Promise<RunningService> {
  if (context.together.includes('ops')) return { stop: async () => undefined }
  const { HOST: host, [portVariable]: port } = context.settings
  const listener = await serveHttp(operatorApp(context, service), { host, port, portVariable })
  return { stop: () => listener.stop() }
}
