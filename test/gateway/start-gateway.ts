import { createGateway, type GatewayLimits } from '@millrace-app/gateway'
import { type FetchApp, type HttpServer, serveHttp, serviceClient } from '@millrace/hono'
import { contextStore } from '@millrace/service'
import { fakeServices, type FakeServices } from './fake-services.ts'

/** A gateway on a port of its own, before doubles of the services behind it. */
export interface TestGateway {
  readonly url: string
  readonly services: FakeServices
  stop(): Promise<void>
}

/** Starts it. */
export async function startGateway(
  options: { readonly privateSignUp?: boolean; readonly limits?: GatewayLimits } = {},
): Promise<TestGateway> {
  const services = fakeServices(options)
  // The address is known only after listening: links and cookies want it before.
  const late: { app?: FetchApp } = {}
  const server: HttpServer = await serveHttp(
    {
      fetch: (request, bindings) => late.app?.fetch(request, bindings) ?? new Response(null, { status: 503 }),
    },
    { port: 0 },
  )
  const ignore = (): void => undefined
  late.app = createGateway({
    userCommand: serviceClient({ name: 'user-command', fetch: (request) => services.command.fetch(request) }),
    userQuery: serviceClient({ name: 'user-query', fetch: (request) => services.query.fetch(request) }),
    publicUrl: server.url,
    privateSignUp: options.privateSignUp ?? false,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    context: contextStore,
    limits: { clients: false, ...options.limits },
  })
  return { url: server.url, services, stop: () => server.stop() }
}
