import type { Event } from '@millrace/event'
import type { Commit } from '@millrace/processor'

/** What differs between those who are judged: how they say what a commit brings about. */
export interface Reading {
  /** What an emitted event says that it comes from: `<key>:<what was handled>`. */
  causeOf(event: Event): string
  /**
   * Waits (`w…`) that the state of a key has handled with this commit.
   *
   * @throws Violation when the commit does not fire just those
   */
  waits(commit: Commit, key: string, handled: readonly string[]): void
  /** Effects have the ids that events ask for. */
  readonly namesEffects: boolean
}
