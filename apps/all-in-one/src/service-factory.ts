import type { ProcessKit } from './process-kit.ts'
import type { Secrets } from './secrets.ts'
import type { PortSetting, Settings } from './settings.ts'

/** A server that a service cannot do without; it is started (or its URL taken from the settings) before. */
export type Need = 'redis' | 'postgres'

/** A port of the settings that a service listens on. The supervisor checks it before anything is started. */
export interface PortUse {
  readonly setting: PortSetting
  /** What a person finds there; the address is printed after the start. Left out for what only programs call. */
  readonly shows?: string
  /** Listened on only when this service has a process of its own. */
  readonly whenSeparate?: true
}

/** `fetch`, or another app's `app.fetch` in the same process. */
export type Fetch = (request: Request) => Response | Promise<Response>

/** What a service is given. Nothing in it comes from `process.env` behind the settings' back. */
export interface ServiceContext {
  readonly settings: Settings
  readonly secrets: Secrets
  /** Set when a service of this process needs Redis. */
  readonly redisUrl: string
  /** Set when a service of this process needs PostgreSQL. */
  readonly databaseUrl: string
  /** Where mail goes: SMTP_URL, or the private inbox. */
  readonly smtpUrl: string
  /** The loopback port on which the private inbox takes mail. */
  readonly inboxSmtpPort: number
  /**
   * Name of this process among the members of groups. A process that is started again in the place of one that has
   * ended has the name of that, and so its leases at once: nothing waits for them to run out.
   */
  readonly member: string
  /** The services of this process. */
  readonly together: readonly string[]
  /** What the services of this process share. */
  readonly kit: ProcessKit
  /** Makes this service's app callable without HTTP for the others in this process. */
  publish(name: string, fetch: Fetch): void
  /** The published app of a service in this process; undefined when it runs elsewhere. Ask when calling, not at start. */
  peer(name: string): Fetch | undefined
}

export interface RunningService {
  /** Takes nothing new, finishes what is in hand, frees everything. */
  stop(): Promise<void>
}

/** How one service is put together. Import its app inside `start`: the supervisor reads the table without running it. */
export interface ServiceFactory {
  /** As in `--only gateway,mail`. */
  readonly name: string
  /** Half a line for `--help`. */
  readonly summary: string
  readonly needs: readonly Need[]
  readonly ports: readonly PortUse[]
  /** Resolves when the service answers. */
  start(context: ServiceContext): Promise<RunningService>
}
