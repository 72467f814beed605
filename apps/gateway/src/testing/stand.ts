import { type KitEnv, serviceClient } from '@millrace/hono'
import { Hono } from 'hono'
import { createGateway } from '../gateway.ts'
import type { GatewayOptions } from '../gateway-options.ts'

function nothing(): void {
  // Tests read answers, not logs.
}

/** A gateway before two apps that the test gives routes. */
export function openStand() {
  const command = new Hono<KitEnv>()
  const query = new Hono<KitEnv>()
  /** Requests that reached a service. */
  const seen: Request[] = []
  const client = (name: string, app: Hono<KitEnv>) =>
    serviceClient({
      name,
      fetch: (request) => {
        seen.push(request.clone())
        return app.fetch(request)
      },
    })
  const build = (options: Partial<GatewayOptions> = {}) =>
    createGateway({
      userCommand: client('user-command', command),
      userQuery: client('user-query', query),
      publicUrl: 'https://accounts.example.org',
      logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      context: { run: (_ids, fn) => fn(), current: () => undefined },
      ...options,
    })
  return { command, query, seen, build }
}

/** A request with a JSON body; a text goes as it is. */
export function asJson(body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  }
}
