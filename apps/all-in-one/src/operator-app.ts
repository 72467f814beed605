import { type OpsAddress, opsApp, serveHttp } from '@millrace/hono'
import type { RunningService, ServiceContext } from './service-factory.ts'
import type { PortSetting } from './settings.ts'
import manifest from '../package.json' with { type: 'json' }

/** The operator's addresses of this process: `/health/live`, `/health/ready`, `/metrics`. */
export function operatorApp(
  { kit }: Pick<ServiceContext, 'kit'>,
  service: string,
  addresses: readonly OpsAddress[] = [],
): ReturnType<typeof opsApp> {
  const { health, metrics } = kit
  return opsApp({
    health,
    metrics,
    version: manifest.version,
    addresses,
    http: { ...kit.http(service), requestLogLevel: 'debug' },
  })
}

/** Listens with them for a service that has no other address, unless the operations service is in its process. */
export async function listenForOperator(
  context: Pick<ServiceContext, 'kit' | 'settings' | 'together'>,
  service: string,
  portVariable: PortSetting,
): Promise<RunningService> {
  if (context.together.includes('ops')) return { stop: async () => undefined }
  const { HOST: host, [portVariable]: port } = context.settings
  const listener = await serveHttp(operatorApp(context, service), { host, port, portVariable })
  return { stop: () => listener.stop() }
}
