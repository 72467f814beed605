import type { CrashPoint } from './points.ts'

/** What a process of a play is told at its start. */
export interface CrashOrder {
  readonly redisUrl: string
  readonly topic: string
  readonly play: CrashPoint['play']
  readonly role: CrashPoint['who']
  readonly name: string
  /** Its place in the list of crash points; absent: it lives. */
  readonly point?: number
}

/** What it says: a member that it works, a repairer that it has done all. */
export interface CrashWord {
  readonly type: 'ready'
}

/** The same secret in all processes: keys are sealed with it. */
export const secret = 'a secret of the crash points'

export const times = { leaseMs: 600, retrySweepMs: 300, retry: { firstMs: 20, maxMs: 150 } } as const
