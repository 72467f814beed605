import { randomHex, workNowMs } from '@millrace/event'
import type { ConsumerEvent } from '@millrace/processor'
import type { SpanDraft } from './span-draft.ts'
import { attributes as names, messaging, systems } from './span-names.ts'

/**
 * The span of a commit that has settled something of a recorded trace. It settles events of many traces at once: it
 * begins a trace of its own, with a link to each attempt.
 */
export function spanOfCommit(event: ConsumerEvent): SpanDraft | undefined {
  if (event.kind !== 'progress' || event.figures === undefined) return undefined
  const { traced, tookMs } = event.figures
  if (traced.length === 0) return undefined
  const { topic, group, partition, settled, lag } = event
  return {
    name: `commit ${topic}`,
    kind: 'client',
    traceparent: `00-${randomHex(32)}-${randomHex(16)}-01`,
    links: traced,
    ...{ startMs: workNowMs() - tookMs, tookMs },
    attributes: {
      ...messaging(systems.log, 'commit', 'settle', topic),
      [names.group]: group,
      [names.partition]: String(partition),
      [names.batchCount]: settled,
      [names.lag]: lag,
    },
  }
}
