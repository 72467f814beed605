import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { bindingsOf, type KitContext } from './environment.ts'

/** Headers by name. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/**
 * Runs what comes next, and gives its answer these headers wherever it has not set them itself.
 *
 * Below a server they are added when the head of the answer is written: objects of the Fetch standard's Headers cost
 * ten times as much, and setting them on Node's response beforehand twice as much.
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
export function presetHeaders(c: KitContext, ...lists: readonly HeaderList[]): void {
  const { outgoing } = bindingsOf(c)
  // Sent already where a time limit above has answered.
  if (outgoing?.headersSent !== false) return
  const writeHead = outgoing.writeHead.bind(outgoing)
  outgoing.writeHead = (status: number, reason?: string | Given, headers?: Given) =>
    typeof reason === 'string'
      ? writeHead(status, reason, completed(outgoing, headers, lists))
      : writeHead(status, completed(outgoing, reason, lists))
}

/** The second half of it. */
export function ensureHeaders(c: KitContext, headers: HeaderList): void {
  if (!bindingsOf(c).outgoing) for (const [name, value] of headers) ensureHeader(c, name, value)
}

type Given = OutgoingHttpHeaders | OutgoingHttpHeader[]

function completed(outgoing: ServerResponse, given: Given | undefined, lists: readonly HeaderList[]): Given {
  if (Array.isArray(given)) return completedList(outgoing, given, lists)
  const all: OutgoingHttpHeaders = { ...given }
  const names = [...Object.keys(all), ...outgoing.getHeaderNames()]
  for (const list of lists)
    for (let at = 0; at < list.length; at++) {
      const [name, value] = list[at] as HeaderList[number]
      if (!isAmong(name, names)) all[name] = value
    }
  return all
}

/** The same for names and values in turn. */
function completedList(
  outgoing: ServerResponse,
  given: readonly OutgoingHttpHeader[],
  lists: readonly HeaderList[],
): Given {
  const names = given.filter((_, at) => at % 2 === 0).map(String)
  const missing = lists.flat().filter(([name]) => !isAmong(name, names) && !outgoing.hasHeader(name))
  return [...given, ...missing.flat()]
}

function isAmong(name: string, names: readonly string[]): boolean {
  for (const other of names)
    if (other.length === name.length && other.toLowerCase() === name.toLowerCase()) return true
  return false
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
