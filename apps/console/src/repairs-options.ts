import type { Topic } from '@millrace/event'
import type { KitContext } from '@millrace/hono'
import type { EventLog } from '@millrace/log'
import type { AnyEffect, GroupStore, SourcesOfTruth } from '@millrace/processor'

/** A group that may be looked at and repaired. */
interface KnownGroup {
  readonly group: string
  readonly topic: Topic
  /** Its effects by name: their schemas check corrected payloads. Default: none can be corrected. */
  readonly effects?: ReadonlyMap<string, Pick<AnyEffect, 'schema'>>
}

/** What the interface of repairs works with. */
export interface RepairsApiOptions {
  readonly store: GroupStore
  readonly log: Pick<EventLog, 'readAt' | 'readKey'>
  /** The groups that may be looked at and repaired. */
  readonly groups: readonly KnownGroup[]
  /** Sources of truth by topic. */
  readonly sources?: Readonly<Record<string, SourcesOfTruth>>
  /**
   * Who repairs, for the audit log. Throws `request.forbidden` for somebody who may only look; asked before every
   * repair, and before data are shown as they are.
   */
  readonly actorOf: (c: KitContext) => string
  /** Time in ms. Default: the machine's. */
  readonly now?: () => number
}
