import type { Clock } from '@millrace/event'
import type { KeyRecord } from '../model/key-record.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Delivery } from './delivery.ts'
import type { Timers } from './timers.ts'

/**
 * What a lane tells its owner. Called when a value's way through the pipeline has come to its end, never in the middle
 * of it, and perhaps before `feed` returns. A hook must not throw, and of the lane may call nothing but `close`.
 */
export interface LaneHooks {
  /**
   * A delivery may be committed: it and everything before it is released. Called once a delivery at most, in the order
   * of the lane. `together` holds earlier ones that must be in the very same commit (nearly always none): they are
   * settled by this call too and are not reported on their own.
   */
  settled(delivery: Delivery, together: readonly Delivery[]): void
  /**
   * The lane is over, by an error: `delivery` is what was being handled, else the first that is unsettled; undefined
   * when nothing is unsettled, which means that the pipeline itself is at fault and may have let events through
   * unhandled. What is in `unsettled` is to be fed to a fresh lane, in order.
   */
  failed(delivery: Delivery | undefined, error: unknown): void
  /** The lane is over because its pipeline completed. What is in `unsettled` is to be fed to a fresh lane, in order. */
  ended(): void
}

/** What a lane is made with. */
export interface LaneOptions {
  readonly key: string
  /** The key's record as it is committed; what earlier lanes have settled included. */
  readonly record: KeyRecord
  readonly hooks: LaneHooks
  readonly timers: Timers
  readonly clock: Clock
}

/**
 * The stream of one key in a running processor: one subscription of its pipeline, kept from event to event. It decides
 * nothing about retries, parking or commits.
 *
 * `feed`, `fire` and `pass` take a delivery that is in no living lane; they throw a TypeError when the lane is over,
 * and when they are called from within its pipeline or its hooks.
 */
export interface Lane {
  readonly key: string
  /** The record after everything that is settled: what the next commit writes, and a successor begins with. */
  readonly record: KeyRecord
  /** How many deliveries are not settled. */
  readonly inHand: number
  /** The deliveries that are not settled, in order. After the end of the lane: what is to be fed to the next one. */
  readonly unsettled: readonly Delivery[]
  /** It has failed, ended or was closed. */
  readonly over: boolean

  /**
   * Hands an event to the pipeline. It is settled together with so many that are taken in right behind it: they are to
   * be in one commit.
   */
  feed(delivery: Delivery, behind?: number): void
  /** Hands a due timer to the operator that has set it. A timer that was moved or cancelled meanwhile does nothing. */
  fire(delivery: Delivery): void
  /**
   * Takes in a delivery whose outcome is known already, such as poison: it keeps its place in the order and is settled
   * after those before it, unseen by the pipeline.
   */
  pass(delivery: Delivery, outcome: Outcome, why?: string): void
  /** Gives the lane up at once, without a hook: inner streams are unsubscribed, timers cancelled, signals aborted. */
  close(): void
}
