import type { Topic } from '@millrace/event'
import type { ConsumerHealth } from '@millrace/processor'

/** A group with a member in this process. */
export interface WatchedGroup {
  readonly topic: Topic
  readonly group: string
  /** How the member is. */
  readonly health: () => ConsumerHealth
}
