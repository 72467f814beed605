import type { ParkTry } from '../parked-key.ts'

/** What has been decided about a delivery before it is handed over. */
export type Fate =
  /** It becomes a dead letter in its place. */
  | {
      readonly outcome: 'dead'
      readonly error: unknown
      /** Its attempts have run out. */
      readonly spent: boolean
      /** Its attempts, earliest first. */
      readonly tries?: readonly ParkTry[]
    }
  /** It cannot be handled: when it is its turn the key is held. */
  | { readonly outcome: 'hold'; readonly error: unknown }
  /** It is done, without its handler. */
  | {
      readonly outcome: 'done'
      /** What its key was taken over with has it already. */
      readonly before?: true
    }
