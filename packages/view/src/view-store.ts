import type { Recorded } from '@millrace/log'
import type { Checkpoint, Checkpoints } from './checkpoint.ts'

/** Puts one event into a view's data. Runs inside of a transaction; what it throws rolls the whole batch back. */
export type Fold<Tx> = (tx: Tx, recorded: Recorded) => Promise<void>

/** One set of a view's data with its checkpoints. `Tx` is what a fold works with: rows, documents, a state. */
export interface Generation<Tx> {
  /** Where each partition stands. */
  checkpoints(): Promise<Checkpoints>

  /**
   * Applies events of one partition, in order, in one transaction: locks the partition's checkpoint, leaves out what
   * is at or below it, folds the rest, moves the checkpoint. Any number of processes may do so at once: each event
   * is in the data exactly once. Answers the checkpoint afterwards.
   *
   * @throws MillraceError `view.gap` when events before the first one are missing: go on from `checkpoints()`
   */
  apply(events: readonly Recorded[], fold: Fold<Tx>): Promise<Checkpoint>
}

/** A view's data: the live generation, and the way to build another one beside it. */
export interface ViewStore<Tx> extends Generation<Tx> {
  /** Makes what is missing: a view that was deleted is empty afterwards, at the beginning of the log. May be repeated. */
  prepare(): Promise<void>

  /** Reads from the live generation. */
  read<T>(query: (tx: Tx) => Promise<T>): Promise<T>

  /** Calls back whenever this process has moved a checkpoint of the live generation. Returns what ends that. */
  onMoved(listener: (partition: number, checkpoint: Checkpoint) => void): () => void

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
   * is left to undo, and moves the checkpoint in the last one. Nothing happens when it stands there or before already.
   */
  rewind(partition: number, to: Checkpoint, undo: (tx: Tx) => Promise<'more' | 'done'>): Promise<void>

  /**
   * Puts this generation in the place of the live one, in one step. Where it is behind the live one, `missing` has to
   * bring the events up to the live checkpoint; nobody applies anything meanwhile, so that should be few.
   */
  swap(
    missing: (partition: number, from: Checkpoint, to: Checkpoint) => Promise<readonly Recorded[]>,
    fold: Fold<Tx>,
  ): Promise<void>

  /** Stops building; what is there stays for the next build. Harmless after a swap. */
  close(): Promise<void>
}
