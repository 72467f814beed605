import type { ChangeSource } from './change-source.ts'
import type { ChannelLog } from './channel-line.ts'
import type { Mapping } from './mapping.ts'
import type { PipelineStatus } from './pipeline-status.ts'
import type { PipelineStore } from './pipeline-store.ts'

/** What {@link createPipeline} needs. */
export interface PipelineOptions {
  /** Lower case letters, digits and dashes. Its events' ids, its channels and its slot derive from it: never change it. */
  readonly pipeline: string
  /** Owned by the pipeline, which closes it. */
  readonly source: ChangeSource
  readonly log: ChannelLog
  readonly store: PipelineStore
  /** One a table. */
  readonly mappings: readonly Mapping[]
  /** What this reader is called in the lease; unique. Default: a fresh id. */
  readonly holder?: string
  /** After which time a silent reader may be replaced, in ms. Default 5,000. */
  readonly leaseMs?: number
  /** How often a reader without the lease asks for it, in ms. Default 500. */
  readonly standbyMs?: number
  /** How often quiet partitions are brought up to date and the source is told, in ms. Default 500. */
  readonly settleMs?: number
  /**
   * How long after that the source is told, in ms. Default 2,000: what a server that syncs its file every second may lose
   * in a power cut, the source still has.
   */
  readonly acknowledgeDelayMs?: number
  /** How often the source is asked how far it is ahead, in ms. Default 5,000. */
  readonly lagMs?: number
  /** Most rows in a chunk of a snapshot. Default 500. */
  readonly chunkRows?: number
  /** Longest wait before a source or log that cannot be reached is tried again, in ms. Default 5,000. */
  readonly retryMs?: number
  /** Hears of each change of the state; must not throw. */
  readonly observe?: (status: PipelineStatus) => void
}
