import type { Topic } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { Fold } from './view-store.ts'

/** A view: what becomes of the events of a topic. */
export interface View<Tx> {
  /** Lower case letters, digits and dashes. */
  readonly name: string
  readonly topic: Topic
  readonly fold: Fold<Tx>
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
