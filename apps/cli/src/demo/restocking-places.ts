import { serviceClient, type ServiceClient } from '@millrace/hono'
import { type CentralDatabase, openCentralDatabase } from '@millrace-app/purchasing'
import { type LogSystem, withLog } from '../log-system.ts'
import type { RunningSystem } from '../running-system.ts'

/** Where the demo of restocking works. */
export interface RestockingPlaces {
  readonly system: RunningSystem
  /** Where the central database is: others write to it. */
  readonly databaseUrl: string
  readonly restockingUrl: string
  /** Owner of the orders. */
  readonly purchasingUrl: string
  /** Undefined: the mails are left out. */
  readonly inboxUrl: string | undefined
  readonly serviceToken: string
}

/** What the demo works on. */
export interface RestockingRig extends LogSystem {
  readonly central: CentralDatabase
  readonly restocking: ServiceClient
  readonly purchasing: ServiceClient
  readonly inboxUrl: string | undefined
}

/** Connects, runs, and closes whatever happens. */
export async function withRig<T>(
  { system, databaseUrl, restockingUrl, purchasingUrl, inboxUrl, serviceToken }: RestockingPlaces,
  act: (rig: RestockingRig) => Promise<T>,
): Promise<T> {
  const central = await openCentralDatabase({
    url: databaseUrl,
    applicationName: 'millrace demo',
    // What breaks a connection fails the query that uses it next.
    onError: () => undefined,
  })
  const restocking = serviceClient({
    name: 'restocking',
    baseUrl: restockingUrl,
    token: serviceToken,
    timeoutMs: 60_000,
    maxAnswerBytes: 32 * 1024 * 1024,
  })
  const purchasing = serviceClient({ name: 'purchasing', baseUrl: purchasingUrl, token: serviceToken })
  try {
    return await withLog(system, (on) => act({ ...on, central, restocking, purchasing, inboxUrl }))
  } finally {
    await central.close()
  }
}
