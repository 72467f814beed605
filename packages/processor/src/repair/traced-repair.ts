import { currentScope, type Event, tellWork, workNowMs, workTraced } from '@millrace/event'
import type { GroupPartition } from '../group-store.ts'
import { repairTrace } from '../lane/delivery-trace.ts'

/** A ruling, for whoever traces. */
export interface TracedRuling {
  readonly id: string
  readonly seq: number
  /** What was decided. */
  readonly did: string
}

/** Makes a ruling; whoever traces hears of it, with links to where the event and the order came from. */
export async function tracedRuling<T>(
  at: GroupPartition,
  { id, seq, did }: TracedRuling,
  rule: () => Promise<T>,
  original: () => Promise<Event>,
): Promise<T> {
  const startMs = workNowMs()
  const result = await rule()
  if (!workTraced()) return result
  const tookMs = workNowMs() - startMs
  // An event that has gone from the log since it was given up has nothing to link to.
  const event = await original().catch(() => undefined)
  const links = [event?.traceparent, currentScope()?.traceparent].filter((link) => link !== undefined)
  const { topic, group, partition } = at
  tellWork({
    ...{ kind: 'repair', traceparent: repairTrace(id, group), links, startMs, tookMs },
    ...{ correlationId: event?.correlationid, topic: topic.name, group, partition, seq, did },
  })
  return result
}
