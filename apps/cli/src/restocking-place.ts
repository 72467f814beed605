import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { MillraceError, scopeHeaders } from '@millrace/event'

/** Where restocking is reached, and the token that it asks for. */
export interface RestockingPlace {
  readonly url: string
  readonly token: string
}

/** Restocking of the system that the environment names, else of the one in MILLRACE_HOME. */
export function findRestocking(env: NodeJS.ProcessEnv, url: string | undefined): RestockingPlace {
  const file = path.join(env['MILLRACE_HOME'] ?? '.millrace', 'secrets.json')
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {}
  return {
    url: url ?? env['RESTOCKING_URL'] ?? `http://127.0.0.1:${env['RESTOCKING_PORT'] ?? 3010}`,
    token: env['SERVICE_TOKEN'] ?? kept['SERVICE_TOKEN'] ?? '',
  }
}

/**
 * Posts to restocking; the answer is the caller's to read.
 *
 * @throws MillraceError `service.unavailable` when nobody answers, or what it answers is a failure of its own
 */
export async function postTo(
  { url, token }: RestockingPlace,
  to: string,
  signal: AbortSignal,
  body?: string,
): Promise<Response> {
  try {
    return await fetch(`${url}${to}`, {
      method: 'POST',
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/x-ndjson',
        ...scopeHeaders(),
      },
      ...(body === undefined ? {} : { body }),
    })
  } catch (cause) {
    throw new MillraceError('service.unavailable', `Restocking cannot be reached at ${url}`, { cause })
  }
}
