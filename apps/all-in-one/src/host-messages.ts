import type { Secrets } from './secrets.ts'
import type { Settings } from './settings.ts'

/** What a service process is told, over its IPC channel: secrets stay off command lines and out of environments. */
export interface HostOrder {
  readonly names: readonly string[]
  readonly settings: Settings
  readonly secrets: Secrets
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly smtpUrl: string
  readonly inboxSmtpPort: number
  /** What its members of groups are called: the same for a process that takes the place of one that has ended. */
  readonly member: string
}

/** What a service process answers. */
export type HostReport = { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string }
