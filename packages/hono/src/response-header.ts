import { bindingsOf, type KitContext } from './environment.ts'

/** Headers by name. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/**
 * Runs what comes next, and gives its answer these headers wherever it has not set them itself.
 *
 * Below a server they are set on Node's own response first, which the answer's headers then overrule: objects
 * of the Fetch standard's Headers cost ten times as much.
 */
export async function withDefaultHeaders(
  c: KitContext,
  headers: HeaderList,
  next: () => Promise<void>,
): Promise<void> {
  presetHeaders(c, headers)
  await next()
  ensureHeaders(c, headers)
}

/** The first half of {@link withDefaultHeaders}. */
export function presetHeaders(c: KitContext, headers: HeaderList): void {
  const { outgoing } = bindingsOf(c)
  // Sent already where a time limit above has answered.
  if (outgoing?.headersSent !== false) return
  for (let at = 0; at < headers.length; at++) {
    const header = headers[at] as HeaderList[number]
    outgoing.setHeader(header[0], header[1])
  }
}

/** The second half of it. */
export function ensureHeaders(c: KitContext, headers: HeaderList): void {
  if (!bindingsOf(c).outgoing) for (const [name, value] of headers) ensureHeader(c, name, value)
}

function ensureHeader(c: KitContext, name: string, value: string): void {
  if (c.res.headers.has(name)) return
  try {
    c.res.headers.set(name, value)
  } catch (error) {
    // The headers of a Response that came from fetch refuse changes.
    if (!(error instanceof TypeError)) throw error
    const answer = new Response(c.res.body, c.res)
    answer.headers.set(name, value)
    c.res = answer
  }
}
