import {
  currentScope,
  type Event,
  limits,
  MillraceError,
  parseJson,
  scopeHeaders,
  systemTimers,
  type Timers,
  tracedCall,
} from '@millrace/event'
import type { PresentState, SourceOfTruth } from './source-of-truth.ts'

/** Options of {@link httpSource}. */
export interface HttpSourceOptions {
  /** Hosts, with their port where they name one, that may be asked; all others are refused. */
  readonly allowedHosts: readonly string[]
  /** Where the present state of what an event speaks of is. */
  readonly url: (event: Event) => string | URL
  /** What the answer says; undefined: the entity is not there. By default `{ data }`, all of it. */
  readonly read?: (body: unknown, event: Event) => PresentState | undefined
  readonly versionOf?: (event: Event) => number | undefined
  /** Such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>
  /** For the whole answer, in ms. Default 5,000. */
  readonly timeoutMs?: number
  /** Largest body, in bytes. Default: the limit of an event, 256 KiB. */
  readonly maxBytes?: number
  /** Allow `http:` beside `https:`. Default false. */
  readonly plain?: boolean
  /** Default: the machine's. */
  readonly timers?: Timers
  /** Default: the fetch of the platform. */
  readonly fetch?: typeof globalThis.fetch
}

/**
 * A source of truth behind HTTP: GET of one address that answers JSON. Only hosts that are named are asked, redirects
 * are not followed, time and size are bounded. 404 and 410 mean that the entity is not there.
 */
export function httpSource(options: HttpSourceOptions): SourceOfTruth {
  const { timeoutMs = 5_000, timers = systemTimers, read = (body) => ({ data: body }), versionOf } = options
  return {
    async fetch(event, signal) {
      const url = allowed(options.url(event), options)
      const late = new AbortController()
      const cancel = timers.set(timeoutMs, () => late.abort())
      const limit = AbortSignal.any([signal, late.signal])
      try {
        const body = await bodyAt(url, options, limit)
        return body === undefined ? undefined : read(body, event)
      } catch (error) {
        if (error instanceof MillraceError) throw error
        const why = late.signal.aborted ? `did not answer within ${timeoutMs} ms` : 'cannot be reached'
        throw new MillraceError('source.failed', `The source at ${url.host} ${why}`, { cause: error })
      } finally {
        cancel()
      }
    },
    ...(versionOf ? { versionOf } : {}),
  }
}

function allowed(given: string | URL, { allowedHosts, plain = false }: HttpSourceOptions): URL {
  const url = URL.parse(String(given))
  if (!url) throw refused('The address of the source cannot be read')
  if (url.protocol !== 'https:' && !(plain && url.protocol === 'http:'))
    throw refused(`The source is asked by ${plain ? 'https or http' : 'https'} alone`)
  if (url.username !== '' || url.password !== '') throw refused('An address with a password is refused')
  if (!allowedHosts.includes(url.host)) throw refused(`The host ${url.host} is not on the list of sources`)
  return url
}

async function bodyAt(
  url: URL,
  { fetch = globalThis.fetch, headers = {}, maxBytes = limits.eventBytes }: HttpSourceOptions,
  signal: AbortSignal,
): Promise<unknown> {
  const call = {
    ...{ peer: url.host, method: 'GET', correlationId: currentScope()?.correlationId },
    headers: { accept: 'application/json', ...scopeHeaders(), ...headers },
  }
  const answer = await tracedCall(call, (sent) => fetch(url, { redirect: 'manual', signal, headers: sent }))
  try {
    if (answer.status === 404 || answer.status === 410) return undefined
    if (answer.type === 'opaqueredirect' || (answer.status >= 300 && answer.status < 400))
      throw refused(`The source at ${url.host} answers with a redirect, which is not followed`)
    if (!answer.ok)
      throw new MillraceError('source.failed', `The source at ${url.host} answers ${answer.status}`)
    if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(answer.headers.get('content-type') ?? ''))
      throw refused(`The source at ${url.host} does not answer JSON`)
    return parseJson(await textOf(answer, maxBytes, url.host))
  } finally {
    await answer.body?.cancel().catch(() => undefined)
  }
}

async function textOf(answer: Response, most: number, host: string): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  if (!answer.body) return ''
  const body: AsyncIterable<Uint8Array> = answer.body
  for await (const part of body) {
    size += part.byteLength
    if (size > most) throw refused(`The source at ${host} answers more than ${most} bytes`)
    parts.push(part)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch (cause) {
    throw new MillraceError('source.refused', `The source at ${host} does not answer UTF-8`, { cause })
  }
}

function refused(what: string): MillraceError {
  return new MillraceError('source.refused', what)
}
