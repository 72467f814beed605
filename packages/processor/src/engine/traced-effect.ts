import { childTrace, isSampled, runInScope, tellWork, workNowMs, workTraced } from '@millrace/event'
import type { GroupPartition } from '../group-store.ts'
import type { EffectToRecord } from '../effect-ledger.ts'

/** Carries one attempt of an effect out, in the scope of the event that led to it. */
export async function tracedEffect(
  at: GroupPartition,
  effect: EffectToRecord & { readonly attempt: number },
  run: () => Promise<void>,
): Promise<void> {
  const { correlationId, causationId, traceparent: parent, name, attempt } = effect
  const traced = workTraced() && isSampled(parent)
  const traceparent = parent !== undefined && workTraced() ? childTrace(parent) : parent
  const startMs = workNowMs()
  const ended = (failed?: { readonly error: unknown }): void => {
    if (traceparent === undefined || !(traced || failed !== undefined)) return
    const { topic, group, partition } = at
    tellWork({
      ...{ kind: 'effect', traceparent, parent, correlationId, startMs, tookMs: workNowMs() - startMs },
      ...{ topic: topic.name, group, partition, name, eventId: causationId, attempt },
      ...failed,
    })
  }
  try {
    await runInScope({ correlationId, causationId, traceparent }, run)
  } catch (error) {
    ended({ error })
    throw error
  }
  ended()
}
