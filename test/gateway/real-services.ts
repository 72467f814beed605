import { AsyncLocalStorage } from 'node:async_hooks'
import { accountConstraints, accounts, createActivationLinks, createSessionTokens } from '@millrace/accounts'
import { createUniqApp, createUniqService } from '@millrace-app/uniq'
import { createPasswords, createUserCommand, uniqOverHttp } from '@millrace-app/user-command'
import { createMemoryAccountView, createUserQuery } from '@millrace-app/user-query'
import { type HttpAppOptions, type KitEnv, type RequestIds, serviceClient } from '@millrace/hono'
import { beginning, compareIds, createMemoryLog, type MemoryLog, type Recorded } from '@millrace/log'
import { createMemoryGroupStore } from '@millrace/processor'
import { createKeyring, createUniq, guardedLog, type Uniq } from '@millrace/uniq'
import type { Hono } from 'hono'

/** The services behind the gateway as they are, on a log in memory. */
export interface RealServices {
  readonly userCommand: Hono<KitEnv>
  readonly userQuery: Hono<KitEnv>
  /** The log behind its guard, for the intake. */
  readonly log: ReturnType<typeof guardedLog>
  /** Ends what runs beside requests. */
  stop(): Promise<void>
  /** Mails with a link that the log asks for, oldest first. */
  mails(): Promise<readonly { readonly id: string; readonly to: string; readonly token: string }[]>
}

const serviceToken = 'service-token-of-the-test'
const storage = new AsyncLocalStorage<RequestIds>()
const ignore = (): void => undefined

/** Where the HTTP apps of tests write: nowhere. */
export const quietHttp: HttpAppOptions = {
  logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  context: { run: (ids, fn) => storage.run(ids, fn), current: () => storage.getStore() },
}

/** Puts them together; passwords are cheap. */
export async function realServices(
  options: { readonly privacy?: 'open' | 'private' } = {},
): Promise<RealServices> {
  const log = createMemoryLog()
  const guard = accountsGuard(log)
  const uniq = createUniqApp({
    service: createUniqService({ guards: [guard] }),
    http: quietHttp,
    tokens: [serviceToken],
  })
  const sessions = createSessionTokens({ key: Buffer.alloc(32, 1) })
  const links = createActivationLinks({ key: Buffer.alloc(32, 2) })
  const userCommand = createUserCommand({
    uniq: uniqOverHttp({
      client: serviceClient({
        name: 'uniq',
        token: serviceToken,
        fetch: (request) => uniq.fetch(request),
      }),
    }),
    log,
    passwords: createPasswords({ cost: 'cheap', waiting: 1_000 }),
    sessions,
    links,
    idempotencySecret: Buffer.alloc(32, 3),
    http: quietHttp,
    privacy: options.privacy ?? 'open',
    limits: { answerFloorMs: 0 },
  })
  const mails = async () => {
    const asking = (await eventsOf(log)).flatMap(({ event }) => {
      const data = event.data as { readonly email?: string }
      return ['AccountCreated', 'EmailChanged', 'ActivationRequested'].includes(event.type)
        ? [{ accountId: event.subject, eventId: event.id, to: data.email ?? '' }]
        : []
    })
    return Promise.all(
      asking.map(async ({ to, ...link }) => ({
        id: link.eventId,
        to,
        token: (await links.issue(link)).token,
      })),
    )
  }
  const userQuery = createUserQuery({
    log,
    groups: createMemoryGroupStore({ log }),
    view: createMemoryAccountView(),
    sessions,
    tokens: [serviceToken],
    http: quietHttp,
  })
  await userQuery.start()
  return {
    userCommand,
    userQuery: userQuery.app,
    log: guardedLog(log, [guard]),
    stop: () => userQuery.stop(),
    mails,
  }
}

function accountsGuard(log: MemoryLog): Uniq {
  const keyring = createKeyring([{ version: '1', secret: Buffer.alloc(32, 4), normaliser: 1 }])
  return createUniq({ log, topic: accounts, constraints: accountConstraints(), keyring })
}

/** Every event, in the order in which the log took them. */
async function eventsOf(log: MemoryLog): Promise<readonly Recorded[]> {
  const start = new Map(Array.from({ length: accounts.partitions }, (_unused, at) => [at, beginning]))
  const found = await log.read(accounts, start, { limit: 1_000_000 })
  return [...found.values()].flat().toSorted((a, b) => compareIds(a.position.id, b.position.id))
}
