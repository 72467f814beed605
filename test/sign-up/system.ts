import { AsyncLocalStorage } from 'node:async_hooks'
import { accountConstraints, accounts, createActivationLinks, createSessionTokens } from '@millrace/accounts'
import { type HttpAppOptions, serveHttp, serviceClient } from '@millrace/hono'
import { connectLog, type RedisLog } from '@millrace/redis'
import { createKeyring, createUniq } from '@millrace/uniq'
import { createUniqApp, createUniqService, type UniqService } from '@millrace-app/uniq'
import {
  createPasswords,
  createUserCommand,
  type UniqClient,
  uniqOverHttp,
  type UserCommandOptions,
} from '@millrace-app/user-command'

const serviceToken = 'token-between-services'
const storage = new AsyncLocalStorage<{ correlationId: string; traceparent?: string | undefined }>()
const keyring = createKeyring([{ version: '1', secret: Buffer.alloc(32, 1), normaliser: 1 }])

/** A line of a service's log. */
export type Line = readonly [message: string, fields: unknown]

/** Everything that a test started, to be stopped in reverse order. */
export class Started {
  readonly lines: Line[] = []
  readonly #stops: (() => Promise<void>)[] = []

  /** HTTP options whose log lines are kept. */
  readonly http: HttpAppOptions = {
    logger: {
      debug: (...line) => void this.lines.push([line[0], line[1]]),
      info: (...line) => void this.lines.push([line[0], line[1]]),
      warn: (...line) => void this.lines.push([line[0], line[1]]),
      error: (...line) => void this.lines.push([line[0], line[1]]),
    },
    context: { run: (ids, fn) => storage.run(ids, fn), current: () => storage.getStore() },
  }

  /** Keeps something until {@link stop}. */
  keep<T>(thing: T, stop: () => Promise<void>): T {
    this.#stops.push(stop)
    return thing
  }

  async stop(): Promise<void> {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop()
  }

  /** A connection to the log. */
  async log(url: string): Promise<RedisLog> {
    const log = await connectLog({ url })
    return this.keep(log, () => log.close())
  }

  /** The core of Uniq, for callers in the same process. */
  uniqCore(log: RedisLog): UniqService {
    const guard = createUniq({ log, topic: accounts, constraints: accountConstraints(), keyring })
    return createUniqService({ guards: [guard] })
  }

  /** One instance of Uniq on a socket of its own; answers its port. */
  async uniq(log: RedisLog): Promise<number> {
    const service = this.uniqCore(log)
    const app = createUniqApp({ service, tokens: [serviceToken], http: this.http })
    const server = await serveHttp(app, { port: 0 })
    this.keep(server, () => server.stop())
    return server.port
  }

  /** A client of one instance of Uniq. */
  uniqClient(port: number): UniqClient {
    return uniqOverHttp({
      client: serviceClient({
        name: 'uniq',
        baseUrl: `http://127.0.0.1:${port}`,
        token: serviceToken,
        context: this.http.context,
      }),
    })
  }

  /** user-command on a socket of its own; answers its base address. */
  async userCommand(
    uniq: UniqClient,
    log: RedisLog,
    options: Partial<Pick<UserCommandOptions, 'privacy'>> = {},
  ): Promise<string> {
    const generous = { burst: 1_000_000, perSecond: 1_000_000 }
    const app = createUserCommand({
      uniq,
      log,
      passwords: createPasswords({ cost: 'cheap', waiting: 1_000 }),
      sessions: createSessionTokens({ key: Buffer.alloc(32, 2) }),
      links: createActivationLinks({ key: Buffer.alloc(32, 3) }),
      idempotencySecret: Buffer.alloc(32, 4),
      http: this.http,
      limits: { signIns: generous, changes: generous, answerFloorMs: 0 },
      ...options,
    })
    const server = await serveHttp(app, { port: 0 })
    this.keep(server, () => server.stop())
    return server.url
  }
}

/** Spreads calls over several instances, one after the other. */
export function inTurn(clients: readonly UniqClient[]): UniqClient {
  let turn = 0
  const next = (): UniqClient => {
    const client = clients[turn++ % clients.length]
    if (!client) throw new TypeError('no clients')
    return client
  }
  return {
    append: (...args) => next().append(...args),
    ownerOf: (...args) => next().ownerOf(...args),
  }
}

/** An answer, read. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Sends JSON and reads the answer. */
export async function call(
  url: string,
  method: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

/** All events of accounts. */
export async function eventsOf(log: RedisLog) {
  const everything = new Map(Array.from({ length: accounts.partitions }, (_unused, at) => [at, '0-0']))
  const read = await log.read(accounts, everything, { limit: 100_000 })
  return [...read.values()].flat().map(({ event }) => event)
}
