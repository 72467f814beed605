import { childTrace, type Event, isSampled, randomHex, traceContextOf, workNowMs } from '@millrace/event'
import type { AppendNews, AppendResult, ClaimChange } from '@millrace/log'
import type { SpanDraft } from './span-draft.ts'
import { attributes as names, messaging, systems } from './span-names.ts'

/** What one append, or all of one trace in a batch, is told as. */
interface Appended {
  readonly first: Event
  count: number
  readonly claims: readonly ClaimChange[]
  readonly result: AppendResult | Error | undefined
}

/** The spans of what one call to the log has appended: one for each recorded trace in it, and one for a failure. */
export function spansOfAppend(news: AppendNews): readonly SpanDraft[] {
  const spans: SpanDraft[] = []
  for (const appended of byTrace(news)) {
    const span = appendSpan(news, appended)
    spans.push(span)
    if (appended.claims.length > 0) spans.push(claimSpan(news, appended, span.traceparent))
  }
  return spans
}

function byTrace(news: AppendNews): readonly Appended[] {
  const known = new Map<string, Appended>()
  const failed = news.kind === 'units' ? news.results instanceof Error : news.result instanceof Error
  const add = (events: readonly Event[], claims: readonly ClaimChange[], result: Appended['result']) => {
    const [first] = events
    if (first === undefined) return
    const { traceparent = '' } = first
    // Of a call that has failed one is told, whatever is recorded otherwise.
    if (!isSampled(traceparent) && (!failed || known.size > 0)) return
    const before = claims.length === 0 ? known.get(traceparent) : undefined
    if (before) before.count += events.length
    else
      known.set(`${traceparent}${claims.length === 0 ? '' : first.id}`, {
        first,
        count: events.length,
        claims,
        result,
      })
  }
  if (news.kind === 'units')
    for (const [at, { unit }] of news.units.entries())
      add(unit.events, unit.claims ?? [], news.results instanceof Error ? news.results : news.results[at])
  else
    for (const event of news.events) add([event], [], news.result instanceof Error ? news.result : undefined)
  return [...known.values()]
}

function appendSpan(news: AppendNews, { first, count, result }: Appended): SpanDraft {
  const { topic, partition, tookMs } = news
  const parent = traceContextOf(first.traceparent) ? first.traceparent : undefined
  const single = count === 1
  return {
    name: `append ${topic}`,
    kind: 'producer',
    traceparent: parent === undefined ? `00-${randomHex(32)}-${randomHex(16)}-01` : childTrace(parent),
    parent,
    ...{ startMs: workNowMs() - tookMs, tookMs },
    ...(result instanceof Error ? { error: result } : {}),
    attributes: {
      ...messaging(systems.log, 'append', 'send', topic),
      [names.partition]: String(partition),
      [names.conversation]: first.correlationid,
      [names.messageId]: single ? first.id : undefined,
      [names.type]: single ? first.type : undefined,
      [names.batchCount]: single ? undefined : count,
      [names.appended]: statusOf(result),
    },
  }
}

/** Claims are judged in the same step as the append: a span of the same length, for whoever looks for them. */
function claimSpan(news: AppendNews, { first, claims, result }: Appended, parent: string): SpanDraft {
  const { topic, tookMs } = news
  return {
    name: `claim ${topic}`,
    kind: 'internal',
    ...{ traceparent: childTrace(parent), parent, startMs: workNowMs() - tookMs, tookMs },
    attributes: {
      ...messaging(systems.log, 'claim', undefined, topic),
      [names.conversation]: first.correlationid,
      [names.constraints]: claims.map(({ constraint, action }) => `${constraint} ${action}`),
      [names.claimed]: statusOf(result) === 'appended' ? 'won' : statusOf(result),
    },
  }
}

function statusOf(result: Appended['result']): string | undefined {
  if (result === undefined || result instanceof Error) return undefined
  return result.status === 'refused' ? result.error.code : result.status
}
