import { childTrace, derivedTrace, isSampled, tellWork, traceContextOf, workNowMs } from '@millrace/event'
import type { Processor } from '../model/processor.ts'
import type { Delivery } from './delivery.ts'

/** The span of one attempt to handle an event. */
export interface DeliverySpan {
  readonly traceparent: string
  /** The trace context that it is below. */
  readonly parent: string
  readonly links?: readonly string[]
  readonly startMs: number
}

/**
 * The span of an attempt that begins now; undefined when its trace is not recorded. It is below whoever made the event.
 * What an operator has put back, days later perhaps, is below his order, with a link to where the event came from.
 */
export function beginSpan({ recorded, ruling }: Delivery, processor: Processor): DeliverySpan | undefined {
  if (recorded === undefined) return undefined
  const { traceparent: origin } = recorded.event
  if (ruling !== undefined) {
    const parent = repairTrace(ruling.id, processor.name)
    const links = origin === undefined ? {} : { links: [origin] }
    return { traceparent: childTrace(parent), parent, ...links, startMs: workNowMs() }
  }
  if (!isSampled(origin)) return undefined
  return { traceparent: childTrace(origin), parent: origin, startMs: workNowMs() }
}

/** The span of an operator's ruling, in the trace of his order: whoever rules and whoever heeds it come to the same. */
export function repairTrace(ruling: string, group: string): string {
  return derivedTrace(ruling.replace(/\.\d+\.\d+$/, ''), group, ruling)
}

/** Tells whoever traces that an attempt has ended. One that has failed is told of also when nothing else is. */
export function tellAttempt(
  processor: Processor,
  delivery: Delivery,
  failed?: { readonly error: unknown; readonly tookMs: number },
): void {
  const { recorded, attempt, origin, span } = delivery
  delivery.span = undefined
  if (recorded === undefined) return
  if (failed === undefined) delivery.traced = span?.traceparent
  const { event, position } = recorded
  const endMs = workNowMs()
  const parent = span?.parent ?? (traceContextOf(event.traceparent) ? event.traceparent : undefined)
  const startMs = span?.startMs ?? endMs - (failed?.tookMs ?? 0)
  tellWork({
    kind: 'delivery',
    // Without a trace it begins one of its own: a failure is worth it.
    traceparent: span?.traceparent ?? childTrace(parent ?? derivedTrace(event.id, String(attempt))),
    parent,
    ...(span?.links === undefined ? {} : { links: span.links }),
    ...{ correlationId: event.correlationid, startMs, tookMs: endMs - startMs },
    ...(failed === undefined ? {} : { error: failed.error }),
    ...{ topic: position.topic, group: processor.name, partition: position.partition, seq: position.seq },
    ...{ eventId: event.id, type: event.type, attempt, late: origin === 'late' },
  })
}
