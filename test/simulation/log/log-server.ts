import type { Topic } from '@millrace/event'
import { type AppendUnit, createMemoryLog, type MemoryLog } from '@millrace/log'

/** How long an event without claims is known at least. */
export const windowMs = 3_600_000

/** A log whose time the simulation turns. */
export interface LogServer {
  readonly log: MemoryLog
  setTime(nowMs: number): void
  /** Ways to harm it from outside. None where there is no outside. */
  readonly harms: readonly LogHarm[]
}

/** What a call says that appends. */
export interface Appending {
  readonly topic: Topic
  readonly partition: number
  readonly keys: readonly string[]
  /** Undefined: a batch of a channel. */
  readonly units: readonly AppendUnit[] | undefined
}

/** Something that befalls a log from outside, for one call to one partition. */
export interface LogHarm {
  readonly name: string
  concerns(call: Appending): boolean
  during(call: Appending, act: () => Promise<void>): Promise<void>
}

/** A log in memory. */
export function createMemoryLogServer(): LogServer {
  let now = 0
  const log = createMemoryLog({ clock: { now: () => now }, dedupeWindowMs: windowMs })
  return {
    log,
    setTime: (nowMs) => {
      now = nowMs
    },
    harms: [],
  }
}
