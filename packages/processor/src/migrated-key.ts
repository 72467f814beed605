/** Up to when a state is told that was taken over: a time in ms since the epoch, or a place in the key's partition. */
export type AsOf = { readonly ms: number } | { readonly seq: number }

/**
 * The journal entry of a key that another system was asked for, on its first touch. It belongs to the group, not to a
 * generation: whatever folds the key begins with it, and asks nobody.
 */
export interface MigratedKey {
  readonly key: string
  /** The event that led to it, or the last one of the key before; 0: none. */
  readonly seq: number
  /** Stream id of that event, which tells when it was recorded; undefined: another one had led to it. */
  readonly id: string | undefined
  /** When it was asked, in ms since the epoch. */
  readonly atMs: number
  /** Undefined: the other system did not know the key. */
  readonly asOf: AsOf | undefined
  /** Version of the state's form. */
  readonly version: number
  /** JSON; empty: the other system did not know the key. */
  readonly state: string
}
