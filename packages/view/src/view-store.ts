import type { Recorded } from '@millrace/log'
import type { Checkpoint, Checkpoints } from './checkpoint.ts'
import type { Folding } from './view.ts'

/** A partition in the hand of one writer: the token of the lease that says so. */
export interface Held {
  readonly partition: number
  readonly token: string
}

/** One set of a view's data with its checkpoints. `Tx` is what a fold works with: rows, documents, a state. */
export interface Generation<Tx> {
  /** Where each partition stands: everything up to there is in the data. Of what is behind, some may be. */
  checkpoints(): Promise<Checkpoints>

  /**
   * Applies events of one partition that follow one another, in one transaction: locks the partition's checkpoint,
   * leaves out what is at or below it or what its key has seen, folds the rest, moves the checkpoint. Any number of
   * processes may do so at once: each event is in the data exactly once. Answers the checkpoint afterwards.
   *
   * @throws MillraceError `view.gap` when events before the first one are missing: go on from `checkpoints()`
   */
  apply(events: readonly Recorded[], view: Folding<Tx>): Promise<Checkpoint>
}

/** What a process has applied to the live generation. */
export interface Moved {
  readonly partition: number
  /** Where the partition stands now. */
  readonly checkpoint: Checkpoint
  /** Events that are in the data now, perhaps behind the checkpoint: their sequence numbers and keys. */
  readonly applied: ReadonlyMap<number, string>
}

/** A view's data: the live generation, and the way to build another one beside it. */
export interface ViewStore<Tx> extends Generation<Tx> {
  /** Makes what is missing: a view that was deleted is empty afterwards, at the beginning of the log. May be repeated. */
  prepare(): Promise<void>

  /** Takes a partition: from now on {@link applyHeld} lets nobody in but who names this token. Answers its checkpoint. */
  take(held: Held): Promise<Checkpoint>

  /** Whether a partition was not taken by another token since, and its data are still the same generation. */
  holds(held: Held): Promise<boolean>

  /**
   * Applies events of one partition in one transaction, whether they follow one another or not; those of one key are
   * in order. What its key has seen is left out. The checkpoint stays, or moves forward to `reached`, when everything
   * up to there is in the data with this.
   *
   * @throws MillraceError `view.taken` when the partition is not in this hand, or the view was made anew or swapped
   */
  applyHeld(held: Held, events: readonly Recorded[], view: Folding<Tx>, reached?: Checkpoint): Promise<void>

  /** Reads from the live generation. */
  read<T>(query: (tx: Tx) => Promise<T>): Promise<T>

  /** Calls back whenever this process has applied something to the live generation. Returns what ends that. */
  onMoved(listener: (moved: Moved) => void): () => void

  /**
   * Begins to build a generation, or goes on with the one that was left behind with the same start. One at a time.
   * `copy` begins with the live data and checkpoints, `empty` with nothing at the beginning of the log.
   *
   * @param name Says what is built, so that another build does not go on with it.
   * @throws MillraceError `view.rebuilding` when another process is building
   */
  build(name: string, begin: 'empty' | 'copy'): Promise<Building<Tx>>
}

/** A generation that is being built beside the live one. */
export interface Building<Tx> extends Generation<Tx> {
  /** Whether it goes on with what an earlier build has left behind. */
  readonly resumed: boolean

  /**
   * Sets a partition back to a checkpoint: calls `undo` in transactions of their own until it answers that nothing
   * is left to undo, and moves the checkpoint in the last one, unless it stands before that already.
   */
  rewind(partition: number, to: Checkpoint, undo: (tx: Tx) => Promise<'more' | 'done'>): Promise<void>

  /**
   * Puts this generation in the place of the live one, in one step. Where it is behind the live one, `missing` has to
   * bring the events up to the live checkpoint; nobody applies anything meanwhile, so that should be few.
   */
  swap(
    missing: (partition: number, from: Checkpoint, to: Checkpoint) => Promise<readonly Recorded[]>,
    view: Folding<Tx>,
  ): Promise<void>

  /** Stops building; what is there stays for the next build. Harmless after a swap. */
  close(): Promise<void>
}
