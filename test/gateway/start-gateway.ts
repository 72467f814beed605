import { accounts } from '@millrace/accounts'
import { createGateway, type GatewayOptions } from '@millrace-app/gateway'
import { type FetchApp, serveHttp, serviceClient } from '@millrace/hono'
import { fakeServices, type FakeServices } from './fake-services.ts'
import { quietHttp, realServices, type RealServices } from './real-services.ts'

/** A gateway on a port of its own. */
export interface TestGateway<Services> {
  readonly url: string
  readonly services: Services
  stop(): Promise<void>
}

type Options = Partial<Pick<GatewayOptions, 'privateSignUp' | 'limits' | 'intake'>>

/** Starts it before doubles of the services behind it. */
export function startGateway(options: Options = {}): Promise<TestGateway<FakeServices>> {
  const services = fakeServices(options)
  return start(services, { userCommand: services.command, userQuery: services.query }, options)
}

/** Token of the intake of {@link startRealGateway}. */
export const intakeToken = 'intake-token-of-the-test'

/** Starts it before the services as they are, on a log in memory. */
export async function startRealGateway(options: Options = {}): Promise<TestGateway<RealServices>> {
  const services = await realServices({ privacy: options.privateSignUp === true ? 'private' : 'open' })
  const intake = { topics: [accounts], tokens: [intakeToken], log: services.log }
  const gateway = await start(services, services, { intake, ...options })
  return {
    ...gateway,
    stop: async () => {
      await gateway.stop()
      await services.stop()
    },
  }
}

async function start<Services>(
  services: Services,
  apps: { readonly userCommand: App; readonly userQuery: App },
  options: Options,
): Promise<TestGateway<Services>> {
  // The address is known only after listening: links and cookies want it before.
  const late: { app?: FetchApp } = {}
  const server = await serveHttp(
    {
      fetch: (request, bindings) => late.app?.fetch(request, bindings) ?? new Response(null, { status: 503 }),
    },
    { port: 0 },
  )
  late.app = createGateway({
    userCommand: clientOf('user-command', apps.userCommand),
    userQuery: clientOf('user-query', apps.userQuery),
    publicUrl: server.url,
    ...quietHttp,
    ...options,
    limits: { clients: false, ...options.limits },
  })
  return { url: server.url, services, stop: () => server.stop() }
}

interface App {
  fetch(request: Request): Response | Promise<Response>
}

function clientOf(name: string, app: App) {
  return serviceClient({ name, fetch: (request) => app.fetch(request) })
}
