import { maskText, traceContextOf } from '@millrace/event'
import {
  type Attributes,
  type HrTime,
  type Link,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { SpanDraft } from './span-draft.ts'
import { attributes as names } from './span-names.ts'

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const

const mostLinks = 128
const mostMessage = 1_000

/** A span as OpenTelemetry's processors and exporters take it; undefined when its trace context cannot be read. */
export function readableSpan(
  draft: SpanDraft,
  resource: Resource,
  scope: ReadableSpan['instrumentationScope'],
): ReadableSpan | undefined {
  const context = contextOf(draft.traceparent)
  if (context === undefined) return undefined
  const parent = contextOf(draft.parent)
  const links = linksOf(draft.links)
  const [startTime, duration] = [hrTime(draft.startMs), hrTime(draft.tookMs)]
  const endTime = hrTime(draft.startMs + draft.tookMs)
  return {
    name: draft.name,
    kind: kinds[draft.kind],
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: { ...parent, isRemote: true } }),
    ...{ startTime, endTime, duration },
    ...failureOf(draft, endTime),
    links: links.slice(0, mostLinks),
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: Math.max(0, links.length - mostLinks),
  }
}

/** What is told is recorded: sampled at its door, or worth it because it has failed. */
function contextOf(traceparent: string | undefined): SpanContext | undefined {
  const found = traceContextOf(traceparent)
  if (found === undefined) return undefined
  return { traceId: found.traceId, spanId: found.spanId, traceFlags: TraceFlags.SAMPLED }
}

function linksOf(traceparents: readonly string[] = []): Link[] {
  return traceparents.flatMap((traceparent) => {
    const context = contextOf(traceparent)
    return context === undefined ? [] : [{ context }]
  })
}

function failureOf(
  { error, attributes }: SpanDraft,
  time: HrTime,
): Pick<ReadableSpan, 'attributes' | 'status' | 'events'> {
  const given = attributesOf(attributes)
  if (error === undefined) return { attributes: given, status: { code: SpanStatusCode.UNSET }, events: [] }
  const type = typeOf(error)
  if (!(error instanceof Error))
    return {
      attributes: { ...given, [names.errorType]: type },
      status: { code: SpanStatusCode.ERROR },
      events: [],
    }
  const message = maskText(error.message).slice(0, mostMessage)
  return {
    attributes: { ...given, [names.errorType]: type },
    status: { code: SpanStatusCode.ERROR, message },
    // Without the stack: the log has it, and nothing in it is known to be harmless.
    events: [
      {
        name: 'exception',
        attributes: { 'exception.type': type, 'exception.message': message },
        time,
        droppedAttributesCount: 0,
      },
    ],
  }
}

function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 60)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function attributesOf(given: SpanDraft['attributes']): Attributes {
  const attributes: Attributes = {}
  for (const [name, value] of Object.entries(given))
    if (value !== undefined) attributes[name] = typeof value === 'object' ? [...value] : value
  return attributes
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.trunc(ms / 1_000)
  return [seconds, Math.min(999_999_999, Math.max(0, Math.round((ms - seconds * 1_000) * 1e6)))]
}
