import { childTrace, isSampled, tellWork, workTraced } from '@millrace/event'
import type { KitContext } from './environment.ts'

/** Counts the events of a feed; its end is told to whoever traces the request that it answers. */
export function tracedFeed(c: KitContext, topic: string): { events: number; end(): void } {
  const [startMs, from] = [Date.now(), performance.now()]
  const parent = c.get('traceparent')
  return {
    events: 0,
    end() {
      if (!workTraced() || !isSampled(parent)) return
      const { events } = this
      const tookMs = performance.now() - from
      const correlationId = c.get('correlationId')
      tellWork({
        ...{ kind: 'feed', traceparent: childTrace(parent), parent, correlationId, startMs, tookMs },
        ...{ topic, events },
      })
    },
  }
}
