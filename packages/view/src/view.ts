import type { Topic } from '@millrace/event'
import type { Recorded } from '@millrace/log'

/** Puts one event into a view's data. Runs inside of a transaction; what it throws rolls the whole batch back. */
export type Fold<Tx> = (tx: Tx, recorded: Recorded) => Promise<void>

/** What of a view is needed to bring events into its data. */
export interface Folding<Tx> {
  readonly fold: Fold<Tx>
  /**
   * Of each of these keys, the sequence number of its last event that is in the data. Keys of which the data hold
   * nothing may be missing: an event that leaves no trace may be folded again. Runs before the folds of a transaction,
   * so it may read in one go what they will ask for.
   */
  readonly lastSeqs: (tx: Tx, keys: readonly string[]) => Promise<ReadonlyMap<string, number>>
}

/** A view: what becomes of the events of a topic. */
export interface View<Tx> extends Folding<Tx> {
  /** Lower case letters, digits and dashes. */
  readonly name: string
  readonly topic: Topic
  /**
   * Undoes what the events of a partition above a sequence number have done, some at a time: answers whether there
   * is more. `history` has the events of a key up to that number, for what must be folded anew. Without it, the view
   * can only be rebuilt whole.
   */
  readonly rewind?: (
    tx: Tx,
    to: { readonly partition: number; readonly seq: number },
    history: (key: string) => Promise<readonly Recorded[]>,
  ) => Promise<'more' | 'done'>
}

/** Folds those of some events that the data do not hold yet: an event is new when it is above what its key has seen. */
export async function foldNew<Tx>(
  tx: Tx,
  events: readonly Recorded[],
  { fold, lastSeqs }: Folding<Tx>,
): Promise<void> {
  if (events.length === 0) return
  const seqs = new Map(await lastSeqs(tx, [...new Set(events.map(({ event }) => event.subject))]))
  for (const recorded of events) {
    const { subject } = recorded.event
    const { seq } = recorded.position
    if (seq <= (seqs.get(subject) ?? 0)) continue
    await fold(tx, recorded)
    seqs.set(subject, seq)
  }
}
