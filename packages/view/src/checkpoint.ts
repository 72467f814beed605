import { MillraceError } from '@millrace/event'
import { beginning, type Position, type Recorded } from '@millrace/log'

/** Where a view stands in a partition: everything up to and including this event is in it. */
export type Checkpoint = Pick<Position, 'id' | 'seq'>

/** Checkpoints by partition. */
export type Checkpoints = ReadonlyMap<number, Checkpoint>

/** Before the first event of a partition. */
export const nothingApplied: Checkpoint = { id: beginning, seq: 0 }

/**
 * What of a batch is new to a view that stands at a checkpoint. The events are of one partition, in order.
 *
 * @throws MillraceError `view.gap` when the view lacks events before the batch
 */
export function newTo(checkpoint: Checkpoint, events: readonly Recorded[]): readonly Recorded[] {
  const first = events[0]?.position
  if (first && first.seq > checkpoint.seq + 1)
    throw new MillraceError(
      'view.gap',
      `The view stands at ${checkpoint.seq} of partition ${first.partition}; ${first.seq} does not follow`,
    )
  return events.filter(({ position }) => position.seq > checkpoint.seq)
}

/** The error of a writer that has not, or not any more, what it writes to in its hand. */
export function takenElsewhere(partition: number): MillraceError {
  return new MillraceError('view.taken', `Partition ${partition} of the view is in other hands`)
}

/** The later one of two checkpoints. */
export function later(a: Checkpoint, b: Checkpoint): Checkpoint {
  return b.seq > a.seq ? b : a
}
