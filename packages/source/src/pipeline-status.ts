/** What a reader of a pipeline does; drawn in docs/state-machines.md. */
export type PipelineState =
  | 'standby'
  | 'opening'
  | 'snapshot'
  | 'streaming'
  | 'paused'
  | 'stopped'
  | 'waiting'
  | 'ended'

/** How far the snapshot of a table is. */
export interface SnapshotProgress {
  readonly table: string
  readonly run: number
  readonly rows: number
  /** Rows that the table has, roughly. */
  readonly of: number
  readonly done: boolean
}

/** What a reader says of its pipeline. */
export interface PipelineStatus {
  readonly state: PipelineState
  /** Those that it maps. */
  readonly tables: readonly string[]
  /** Everything before is on the log. */
  readonly position: string
  /** Changes that this reader has seen, and events that it has appended, since its start. */
  readonly changes: number
  readonly events: number
  readonly transactions: number
  /** When the last transaction was committed that is on the log: ISO 8601, or empty. */
  readonly committedAt: string
  /** From what was acknowledged to the end of the source's own log; undefined until it was asked. */
  readonly behindBytes: number | undefined
  readonly retainedBytes: number | undefined
  readonly snapshots: readonly SnapshotProgress[]
  /** Why it is stopped or waits. */
  readonly error?: { readonly code: string; readonly message: string }
}

/** The status of a reader, kept by its parts. */
export class StatusBoard {
  readonly tables: readonly string[]
  state: PipelineState = 'standby'
  position = ''
  changes = 0
  events = 0
  transactions = 0
  committedAt = ''
  behindBytes: number | undefined
  retainedBytes: number | undefined
  error: { readonly code: string; readonly message: string } | undefined
  readonly snapshots = new Map<string, SnapshotProgress>()

  constructor(tables: readonly string[]) {
    this.tables = tables
  }

  /** What it says now. */
  look(): PipelineStatus {
    const { state, tables, position, changes, events, transactions, committedAt } = this
    const { behindBytes, retainedBytes } = this
    return {
      state,
      tables,
      position,
      changes,
      events,
      transactions,
      committedAt,
      behindBytes,
      retainedBytes,
      snapshots: [...this.snapshots.values()],
      ...(this.error ? { error: this.error } : {}),
    }
  }
}
