import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { BodyLimits } from './body.ts'

/** What {@link serveHttp} hands to an app beside the request. Absent when another app calls in the same process. */
export interface KitBindings extends Partial<HttpBindings> {
  /** Aborted when the server begins to stop: streams that never end by themselves end on it. */
  readonly stopping?: AbortSignal
}

/** What the kit's middleware leaves for handlers: `c.get('correlationId')`. */
export interface KitVariables {
  correlationId: string
  /** W3C trace context: the caller's trace, with a span id of this request. */
  traceparent: string
  bodyLimits: Required<BodyLimits>
  /** Aborted when the request's time is up. Only below {@link timeLimit}. */
  deadline: AbortSignal
}

/** The environment of every Hono app of Millrace: `new Hono<KitEnv>()`. */
export interface KitEnv {
  Bindings: KitBindings
  Variables: KitVariables
}

/** The context of a handler in a Millrace app. */
export type KitContext = Context<KitEnv>

/** The bindings of a request; empty when no server stands before the app. */
export function bindingsOf(c: KitContext): KitBindings {
  // Hono leaves env undefined when fetch is called with a request alone, whatever its type says.
  const env: KitBindings | undefined = c.env
  return env ?? {}
}

/** Address of the client's end of the connection, or `local` for a call in the same process. */
export function addressOf(c: KitContext): string {
  return bindingsOf(c).incoming?.socket.remoteAddress ?? 'local'
}

/**
 * A header of the request, by its name in lower case. Below a server Node has them by name already, where an object
 * of the Fetch standard's Headers goes through all of them each time: a tenth of what a small request costs.
 */
export function headerOf<E extends KitEnv>(c: Context<E>, name: string): string | undefined {
  const { incoming } = (c.env as E['Bindings'] | undefined) ?? {}
  if (!incoming) return c.req.header(name)
  const value = incoming.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
