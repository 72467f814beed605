import { MillraceError } from '@millrace/event'
import { type ServiceClient, serviceClient } from '@millrace/hono'

/** Where the demo of leads works, and with which tokens. */
export interface LeadsPlaces {
  readonly baseUrl: string
  readonly leadsUrl: string
  readonly legacyUrl: string
  readonly intakeToken: string
  readonly serviceToken: string
  readonly consoleToken: string
}

/** Clients of the services that the demo talks to. */
export interface LeadsClients {
  /** Takes events of producers in. */
  readonly intake: ServiceClient
  readonly leads: ServiceClient
  readonly legacy: ServiceClient
  /** Makes the legacy system slow and fallible. */
  readonly legacyAdmin: ServiceClient
}

export function leadsClients(places: LeadsPlaces): LeadsClients {
  const timeoutMs = 20_000
  const of = (name: string, baseUrl: string, token: string) =>
    serviceClient({ name, baseUrl, token, timeoutMs })
  return {
    intake: of('gateway', places.baseUrl, places.intakeToken),
    leads: of('leads', places.leadsUrl, places.intakeToken),
    legacy: of('legacy-leads', places.legacyUrl, places.serviceToken),
    legacyAdmin: of('legacy-leads', places.legacyUrl, places.consoleToken),
  }
}

/** Runs over all of a list, so many at once. */
export async function inParallel<T>(
  all: readonly T[],
  atOnce: number,
  act: (one: T) => Promise<void>,
): Promise<void> {
  const queue = all.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const one of queue) await act(one)
    }),
  )
}

/** Tries again what failed because the other end was away for a moment. */
export async function patiently<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      const again = error instanceof MillraceError && error.retryable && attempt < 20 && !signal.aborted
      if (!again) throw error
      await new Promise((resolve) => setTimeout(resolve, 25 * attempt))
    }
  }
}
