import { MillraceError, scopeHeaders } from '@millrace/event'
import { findService, type RunningService } from './running-system.ts'

/** Where restocking is reached, and the token that it asks for. */
export type RestockingPlace = RunningService

/** Restocking at an address, else of the system that the environment names or the one in MILLRACE_HOME. */
export function findRestocking(env: NodeJS.ProcessEnv, url: string | undefined): RestockingPlace {
  const found = findService(env, 'RESTOCKING', 3_010)
  return url === undefined ? found : { ...found, url }
}

/**
 * Posts to restocking; the answer is the caller's to read.
 *
 * @throws MillraceError `service.unavailable` when nobody answers; AbortError when it was stopped
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
    signal.throwIfAborted()
    throw new MillraceError('service.unavailable', `Restocking cannot be reached at ${url}`, { cause })
  }
}
