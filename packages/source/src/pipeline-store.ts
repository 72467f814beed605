/** Who is to hold a pipeline. */
export interface LeaseRequest {
  readonly pipeline: string
  /** Unique to one run of one reader. */
  readonly holder: string
  readonly leaseMs: number
  /** The token's counter must be above this one: a fence has been seen with it. Default 0. */
  readonly above?: number
}

/** The answer to {@link PipelineStore.take}. */
export type LeaseAnswer =
  | { readonly status: 'leased'; readonly token: string }
  | { readonly status: 'held'; readonly holder: string; readonly leftMs: number }

/** What operators want of a pipeline. */
export interface PipelineOrders {
  readonly paused: boolean
  /** Grows with each order to go on, also after a fault. */
  readonly resumed: number
  /** How often it was begun anew behind a gap; see {@link PipelineStore.restart}. */
  readonly restarted: number
  /** The run of its snapshot that each table is to have had. */
  readonly snapshots: Readonly<Record<string, number>>
}

/** What is known of a pipeline from outside. */
export interface PipelineRecord {
  readonly pipeline: string
  readonly orders: PipelineOrders
  /** Who holds it, or held it last. */
  readonly holder: string | undefined
  /** What is left of the lease, in ms; 0 or less: nobody holds it. */
  readonly leftMs: number
  /** What the holder said last: JSON, or empty. */
  readonly status: string
}

/**
 * The leases of pipelines and what is ordered of them. Time decides who tries to read, the fence that is set with the
 * token who may write: see `EventLog.fence`.
 */
export interface PipelineStore {
  /** Takes a lease that is free, lapsed or the holder's own. Each has a fresh token: `<counter>-<nonce>`. */
  take(request: LeaseRequest): Promise<LeaseAnswer>
  /** Moves the deadline and says how things stand; answers the orders, or nothing when another one has taken over. */
  renew(pipeline: string, token: string, leaseMs: number, status: string): Promise<PipelineOrders | undefined>
  /** Gives a lease back; one that is not held any more is left alone. */
  release(pipeline: string, token: string, status: string): Promise<void>

  /** All pipelines that were ever taken. */
  list(): Promise<readonly PipelineRecord[]>
  look(pipeline: string): Promise<PipelineRecord | undefined>
  pause(pipeline: string): Promise<void>
  resume(pipeline: string): Promise<void>
  /**
   * Begins anew where the source stands, with a snapshot of every table, although changes between are lost: for a slot that
   * was lost, or a log that was set back.
   */
  restart(pipeline: string): Promise<void>
  /** Orders one more snapshot of a table; answers its number. */
  snapshot(pipeline: string, table: string): Promise<number>
}

/** What a pipeline is called: lower case letters, digits and dashes, at most 40. */
export const pipelineName: RegExp = /^[a-z][a-z0-9-]{0,39}$/
