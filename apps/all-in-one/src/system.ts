import { freshId } from '@millrace/event'
import type { CommandLine } from './command-line.ts'
import type { Home } from './home.ts'
import type { HostOrder } from './host-messages.ts'
import type { Secrets } from './secrets.ts'
import { freePort } from './servers/free-port.ts'
import type { KeptServer } from './servers/kept-server.ts'
import { startPrivatePostgres, startPrivateRedis } from './servers/private-servers.ts'
import type { Need } from './service-factory.ts'
import { ServiceProcess } from './service-process.ts'
import type { Settings } from './settings.ts'
import { StartRefused } from './start-refused.ts'
import type { Say } from './voice.ts'

export interface SystemOptions {
  readonly asked: CommandLine
  readonly settings: Settings
  readonly secrets: Secrets
  readonly home: Home
  readonly say: Say
}

/** Servers and services, started in this order and stopped in the reverse one. */
export class System {
  readonly #options: SystemOptions
  readonly #startedAt = new Date().toISOString()
  readonly #servers: KeptServer[] = []
  readonly #processes: ServiceProcess[] = []
  #redisUrl: string | undefined
  #databaseUrl: string | undefined
  #starting: Promise<void> = Promise.resolve()
  #stopping = false

  constructor(options: SystemOptions) {
    this.#options = options
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** Resolves when everything answers, or when it was told to stop meanwhile. */
  async start(): Promise<void> {
    this.#note()
    this.#starting = this.#start()
    try {
      await this.#starting
    } catch (error) {
      // What fails because it is being stopped is no failure.
      if (!this.#stopping) {
        await this.#stopAll()
        this.#options.home.release()
        throw error
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#stopAll()
    await this.#starting.catch(() => undefined)
    // What came up in the meantime.
    await this.#stopAll()
    this.#options.home.release()
  }

  async #start(): Promise<void> {
    const { settings, secrets, home, say } = this.#options
    const common = { home, secrets, say, keeping: (server: KeptServer) => void this.#servers.push(server) }
    const results = await Promise.allSettled([
      this.#needs('redis') ? (settings.REDIS_URL ?? startPrivateRedis(common)) : undefined,
      this.#needs('postgres') ? (settings.DATABASE_URL ?? startPrivatePostgres(common)) : undefined,
    ])
    // Both mistakes at once, when there are two.
    const reasons = results.flatMap((result) =>
      result.status === 'rejected' ? [messageOf(result.reason)] : [],
    )
    if (reasons.length > 0) throw new StartRefused(reasons.join('\n'))
    ;[this.#redisUrl, this.#databaseUrl] = results.map((result) =>
      result.status === 'fulfilled' ? result.value : undefined,
    )
    if (this.#stopping) return
    await this.#startServices()
  }

  async #startServices(): Promise<void> {
    const { asked, say } = this.#options
    const order = await this.#order()
    const groups = asked.separate ? order.names.map((name) => [name]) : [order.names]
    for (const names of groups) {
      const options = {
        order: { ...order, names },
        lifelines: () => this.#servers.flatMap(({ lifeline }) => (lifeline === undefined ? [] : [lifeline])),
        say,
        launched: () => this.#note(),
      }
      this.#processes.push(new ServiceProcess(options))
    }
    await Promise.all(this.#processes.map((process) => process.start()))
  }

  async #order(): Promise<HostOrder> {
    const { asked, settings, secrets } = this.#options
    const inboxSmtpPort = await freePort()
    return {
      names: asked.services.map(({ name }) => name),
      settings,
      secrets,
      redisUrl: this.#redisUrl ?? '',
      databaseUrl: this.#databaseUrl ?? '',
      smtpUrl: settings.SMTP_URL ?? `smtp://127.0.0.1:${inboxSmtpPort}`,
      inboxSmtpPort,
      // A process is started again only when the one before has ended: nobody else works in its name.
      member: freshId(),
    }
  }

  #needs(need: Need): boolean {
    return this.#options.asked.services.some(({ needs }) => needs.includes(need))
  }

  #note(): void {
    const services = this.#processes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
    const urls = {
      ...(this.#redisUrl === undefined ? {} : { redisUrl: this.#redisUrl }),
      ...(this.#databaseUrl === undefined ? {} : { databaseUrl: this.#databaseUrl }),
    }
    this.#options.home.note({ pid: process.pid, startedAt: this.#startedAt, services, ...urls })
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()))
    await Promise.all(this.#servers.map((server) => server.stop()))
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
