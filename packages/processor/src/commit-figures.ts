/** So many events, or times, of one length. */
export interface Lengths {
  /** In ms. */
  readonly ms: number
  readonly count: number
}

/** How many events of one type ended how by a commit. */
export interface OutcomeCount {
  /** Undefined where many are counted together. */
  readonly type: string | undefined
  /**
   * - `done`, `deferred`, `dead`: what became of it;
   * - `before-snapshot`: done without its handler: what its key was taken over with has it;
   * - `parked`: its key waits; it is counted again when it is settled for good;
   * - `skipped`: it was not for the group.
   */
  readonly outcome: 'done' | 'deferred' | 'dead' | 'before-snapshot' | 'parked' | 'skipped'
  readonly count: number
}

/** Figures of a commit that came back, made only when somebody listens on the diagnostics channel. */
export interface CommitFigures {
  readonly outcomes: readonly OutcomeCount[]
  /**
   * From the append of each event to the answer to the commit that settles it, by the log's clock and the member's. Of
   * more than 64 events, one stands for eight.
   */
  readonly waited: readonly Lengths[]
  /** Of its events whose traces are recorded, the one that has waited longest. */
  readonly example: { readonly traceparent: string; readonly waitedMs: number } | undefined
  /** Trace contexts of the attempts that have settled its events, of those that are recorded; at most 128. */
  readonly traced: readonly string[]
  /** How long events were with the handler, of all partitions of the run since the figures before. */
  readonly handled: readonly Lengths[]
  /** From gathering the commit to its answer, in ms; with all its repeats. */
  readonly tookMs: number
  /** Keys whose record was in memory, and those that the store was asked for, since the figures before. */
  readonly lookups: { readonly hits: number; readonly misses: number }
}
