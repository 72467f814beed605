import type { Delivery } from './delivery.ts'

/** What runs in a lane: a pipeline or a plain handler. */
export interface Stage {
  /** Whether it takes anything in. */
  readonly listening: boolean
  /** Handles an event; it is the current load. */
  next(delivery: Delivery): void
  /** Drops everything. May be called more than once. */
  close(): void
}
