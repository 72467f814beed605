import { correlationHeader, type KitContext, type ServiceAnswer, type ServiceClient } from '@millrace/hono'
import type { ClientLimits } from '../client-limits.ts'
import type { VisitorCookies } from './visitor-cookies.ts'

/** What the pages stand on. */
export interface Site {
  readonly userCommand: ServiceClient
  readonly userQuery: ServiceClient
  readonly limits: ClientLimits
  readonly cookies: VisitorCookies
  /** Sign-up never tells whether an address has an account. */
  readonly privateSignUp: boolean
  /** For one call to user-command or user-query, in ms. */
  readonly commandTimeoutMs: number
  readonly queryTimeoutMs: number
}

/** A call that a page makes for its visitor. */
export interface PageCall {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly body?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | undefined>>
  /** The session token, for what belongs to an account. */
  readonly token?: string
  readonly idempotencyKey?: string
  readonly ifMatch?: string
}

/**
 * Asks a service on behalf of a visitor.
 *
 * @throws MillraceError as `ServiceClient.json` does
 */
export function ask(
  site: Site,
  c: KitContext,
  service: 'userCommand' | 'userQuery',
  path: string,
  call: PageCall,
): Promise<ServiceAnswer> {
  const { method, body, query, token, idempotencyKey, ifMatch } = call
  return site[service].json(path, {
    timeoutMs: service === 'userCommand' ? site.commandTimeoutMs : site.queryTimeoutMs,
    headers: {
      [correlationHeader]: c.get('correlationId'),
      traceparent: c.get('traceparent'),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(ifMatch === undefined ? {} : { 'If-Match': ifMatch }),
    },
    ...(method === undefined ? {} : { method }),
    ...(body === undefined ? {} : { body }),
    ...(query === undefined ? {} : { query }),
    idempotencyKey,
  })
}

/** A text member of an answer. */
export function textIn(answer: ServiceAnswer, name: string): string | undefined {
  const value = memberOf(answer.body, name)
  return typeof value === 'string' ? value : undefined
}

/** A member of what a service answered; undefined when the answer is no object. */
export function memberOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, name)
    ? (body as Readonly<Record<string, unknown>>)[name]
    : undefined
}
