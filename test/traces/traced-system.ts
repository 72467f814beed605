import { accountConstraints, accounts, createActivationLinks, createSessionTokens } from '@millrace/accounts'
import { connectRetryClock } from '@millrace/bullmq'
import { keepScopes } from '@millrace/event'
import { httpApp, type HttpAppOptions, serveHttp, serviceClient } from '@millrace/hono'
import {
  connectGroupStore,
  connectLog,
  type RedisGroupStore,
  type RedisLog,
  serverOptions,
} from '@millrace/redis'
import type { RetryClock, RetryJob } from '@millrace/retry'
import { contextStore, createLogger, type Logger } from '@millrace/service'
import { createMailDelivery, createSmtpMailSender } from '@millrace/smtp'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { startTracing } from '@millrace/telemetry'
import { createKeyring, createUniq } from '@millrace/uniq'
import { createRepairsApi } from '@millrace-app/console'
import { createGateway } from '@millrace-app/gateway'
import { accountLinks, createMailService } from '@millrace-app/mail'
import { createUniqApp, createUniqService } from '@millrace-app/uniq'
import { createPasswords, createUserCommand, uniqOverHttp } from '@millrace-app/user-command'
import { OtlpCollector } from '../support/otlp-collector.ts'
import { startRedis } from '../support/redis.ts'

const token = 'token-between-services'
const key = Buffer.alloc(32, 7)

/** A place where the trace is lost, to prove that the test would notice. */
export type Break = 'uniq' | 'job' | undefined

/** A line of the log, read. */
export type LogLine = Readonly<Record<string, unknown>>

/** The sign-up path, each service behind a socket of its own, traced; and a mail provider that can be told to fail. */
export class TracedSystem {
  readonly lines: LogLine[] = []
  readonly #stops: (() => Promise<unknown> | void)[] = []
  collector!: OtlpCollector
  provider!: FaultySmtpServer
  log!: RedisLog
  groups!: RedisGroupStore
  gateway = ''
  repairs = ''

  static async start(broken: Break): Promise<TracedSystem> {
    const system = new TracedSystem()
    try {
      await system.#start(broken)
      return system
    } catch (error) {
      await system.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop()
  }

  #keep<T>(thing: T, stop: () => Promise<unknown> | void): T {
    this.#stops.push(stop)
    return thing
  }

  async #start(broken: Break): Promise<void> {
    const redis = await startRedis()
    this.#keep(redis, () => redis.stop())
    this.collector = await OtlpCollector.start()
    this.#keep(this.collector, () => this.collector.stop())
    this.provider = await FaultySmtpServer.start()
    this.#keep(this.provider, () => this.provider.stop())
    const tracing = await startTracing({
      ...{ endpoint: this.collector.url, service: 'millrace', version: '0', instance: 'test', delayMs: 50 },
      // What a caller has decided is heeded; the test's visitor records.
      ratio: 0,
    })
    this.#keep(tracing, () => tracing.stop())
    this.#stops.push(keepScopes())
    const root = createLogger({
      service: 'millrace',
      level: 'debug',
      destination: { write: (line) => void this.lines.push(JSON.parse(line) as LogLine) },
    })
    const httpOf = (service: string) => ({
      logger: root.child({ service }),
      context: { ...contextStore, sampler: tracing.sampler },
    })
    this.log = await connectLog({ url: redis.url })
    this.#keep(this.log, () => this.log.close())
    this.groups = await connectGroupStore({ url: redis.url })
    this.#keep(this.groups, () => this.groups.close())
    const userCommand = await this.#userCommand(
      await this.#uniq(httpOf('uniq')),
      httpOf('user-command'),
      broken,
    )
    this.gateway = await this.#serve(
      createGateway({
        ...httpOf('gateway'),
        userCommand: serviceClient({ name: 'user-command', baseUrl: userCommand, context: contextStore }),
        userQuery: serviceClient({
          name: 'user-query',
          baseUrl: 'http://127.0.0.1:9',
          context: contextStore,
        }),
        intake: { topics: [accounts], log: this.log, tokens: [token] },
        publicUrl: 'http://127.0.0.1:3000',
      }),
    )
    const console = httpApp(httpOf('console'))
    const groups = [{ group: 'mail', topic: accounts }]
    console.route('/', createRepairsApi({ store: this.groups, log: this.log, groups, actorOf: () => 'jo' }))
    this.repairs = await this.#serve(console)
    await this.#mail(redis.url, root.child({ service: 'mail' }), broken)
  }

  async #serve(app: Parameters<typeof serveHttp>[0]): Promise<string> {
    const server = await serveHttp(app, { port: 0 })
    this.#keep(server, () => server.stop())
    return server.url
  }

  #uniq(http: HttpAppOptions): Promise<string> {
    const keyring = createKeyring([{ version: '1', secret: key, normaliser: 1 }])
    const guard = createUniq({ log: this.log, topic: accounts, constraints: accountConstraints(), keyring })
    return this.#serve(
      createUniqApp({ service: createUniqService({ guards: [guard] }), tokens: [token], http }),
    )
  }

  #userCommand(uniq: string, http: HttpAppOptions, broken: Break): Promise<string> {
    const forgetful = (request: Request) => {
      request.headers.delete('traceparent')
      return fetch(request)
    }
    const client = serviceClient({
      ...{ name: 'uniq', baseUrl: uniq, token, context: contextStore },
      ...(broken === 'uniq' ? { fetch: forgetful } : {}),
    })
    const app = createUserCommand({
      uniq: uniqOverHttp({ client }),
      log: this.log,
      passwords: createPasswords({ cost: 'cheap' }),
      sessions: createSessionTokens({ key }),
      links: createActivationLinks({ key }),
      idempotencySecret: key,
      http,
    })
    return this.#serve(app)
  }

  async #mail(url: string, logger: Logger, broken: Break): Promise<void> {
    const clock = await connectRetryClock({
      redis: serverOptions(url),
      topic: accounts.name,
      group: 'mail',
      secret: 'a secret of many letters',
    })
    this.#keep(clock, () => clock.close())
    const sender = createSmtpMailSender({
      url: this.provider.url,
      from: { address: 'accounts@millrace.example' },
    })
    const saying: typeof sender = {
      ...sender,
      send: (mail, options) => {
        logger.info('hands a mail over')
        return sender.send(mail, options)
      },
    }
    const service = createMailService({
      ...{ log: this.log, groups: this.groups },
      retryClock: broken === 'job' ? withoutTrace(clock) : clock,
      delivery: createMailDelivery(saying, { attempts: 1, failures: 100 }),
      mails: {
        product: { name: 'Millrace', url: 'http://127.0.0.1:3000' },
        messageIdHost: 'millrace.example',
      },
      links: accountLinks({ key, publicUrl: 'http://127.0.0.1:3000' }),
      bounds: { retry: { firstMs: 50, maxMs: 100 }, quickRetries: 0, commitMs: 5 },
    })
    this.#stops.push(() => service.stop())
    await service.start()
  }
}

/** A clock whose jobs have forgotten where they come from. */
function withoutTrace(clock: RetryClock): RetryClock {
  const forgotten = (job: RetryJob): RetryJob => {
    const { type, eventId, reason, error } = job.story
    return { ...job, story: { type, eventId, reason, error } }
  }
  return {
    schedule: (job) => clock.schedule(forgotten(job)),
    sweep: (jobs) => clock.sweep(jobs.map(forgotten)),
    cancel: (id) => clock.cancel(id),
    onDue: (listener) => clock.onDue(listener),
    close: () => clock.close(),
  }
}
