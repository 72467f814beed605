import { type ServiceClient, serviceClient } from '@millrace/hono'
import { MillraceError } from '@millrace/event'
import { contextStore } from '@millrace/service'
import type { ServiceContext } from './service-factory.ts'
import { addressOf } from './welcome.ts'

/** Where each service is called when it runs in a process of its own on this machine. */
const elsewhere = {
  'user-command': { url: 'USER_COMMAND_URL', port: 'USER_COMMAND_PORT' },
  uniq: { url: 'UNIQ_URL', port: 'UNIQ_PORT' },
  'user-query': { url: 'USER_QUERY_URL', port: 'USER_QUERY_PORT' },
  purchasing: { url: 'PURCHASING_URL', port: 'PURCHASING_PORT' },
  'legacy-leads': { url: 'LEGACY_LEADS_URL', port: 'LEGACY_LEADS_PORT' },
} as const

/**
 * The client of another service: in this process by a function call, else over HTTP with a time limit. `token`
 * is sent where the service asks for one.
 */
export function peerClient(
  context: ServiceContext,
  name: keyof typeof elsewhere,
  options: { readonly token?: string; readonly timeoutMs?: number } = {},
): ServiceClient {
  const common = { name, context: contextStore, ...options }
  if (context.together.includes(name)) {
    const fetch = (request: Request) => {
      const peer = context.peer(name)
      if (!peer) throw new MillraceError('service.unavailable', `${name} has not started yet`)
      return peer(request)
    }
    return serviceClient({ ...common, fetch })
  }
  const { url, port } = elsewhere[name]
  const { settings } = context
  return serviceClient({ ...common, baseUrl: settings[url] ?? addressOf(settings.HOST, settings[port]) })
}
