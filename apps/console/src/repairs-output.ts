import { type Event, maskText } from '@millrace/event'
import { formatPosition } from '@millrace/log'
import {
  type DeadItem,
  type GroupPartition,
  type ParkedKey,
  type RepairOutcome,
  type Ruling,
} from '@millrace/processor'
import { maskedData } from '@millrace/retry'
import { z } from 'zod'

const overtaken = z.object({ count: z.number(), first: z.number(), last: z.number() })

/** A dead letter or held key in a list. */
export const deadItemSchema = z.object({
  status: z.enum(['dead', 'held']),
  position: z.string(),
  partition: z.number(),
  seq: z.number(),
  key: z.string(),
  type: z.string(),
  eventId: z.string(),
  correlationId: z.string().nullable(),
  reason: z.string(),
  class: z.string(),
  message: z.string(),
  attempts: z.number(),
  behind: z.number(),
  parkNo: z.number().nullable(),
  atMs: z.number(),
})

export const deadPageSchema = z.object({ items: z.array(deadItemSchema), next: z.string().nullable() })

/** One with everything that is known of it. */
export const deadDetailSchema = deadItemSchema.extend({
  stack: z.string(),
  details: z.record(z.string(), z.unknown()),
  tries: z.array(z.object({ atMs: z.number(), tookMs: z.number(), member: z.string(), error: z.string() })),
  overtaken: overtaken.nullable(),
  ruling: z.unknown(),
  event: z.unknown(),
})

export const outcomeSchema = z.object({
  partition: z.number(),
  seq: z.number(),
  key: z.string(),
  status: z.string(),
  on: z.string().optional(),
  overtaken: overtaken.optional(),
  message: z.string().optional(),
  code: z.string().optional(),
  superseded: z.number().optional(),
})

export const outcomesSchema = z.object({
  outcomes: z.array(outcomeSchema),
  next: z.string().nullable(),
})

/** How an item is shown in lists: texts masked. */
export function shownItem(
  item: DeadItem,
  { topic, partition }: GroupPartition,
): z.infer<typeof deadItemSchema> {
  const { status, seq, key, type, atMs, reasonClass, letter, parked } = item
  const said = letter ?? parked?.note
  return {
    status,
    position: formatPosition({ topic: topic.name, partition, id: said?.id ?? '', seq }),
    partition,
    seq,
    key,
    type,
    eventId: said?.eventId ?? '',
    correlationId: said?.correlationId ?? null,
    reason: said?.reason ?? '',
    class: reasonClass,
    message: maskText(said?.message ?? ''),
    attempts: said?.attempts ?? 0,
    behind: parked?.lined ?? 0,
    parkNo: parked?.no ?? null,
    atMs,
  }
}

/** Everything that is known of an item. `plain`: texts and data as they are. */
export function shownDetail(
  item: DeadItem,
  at: GroupPartition,
  parts: {
    readonly event: Event | undefined
    readonly ruling: Ruling | undefined
    readonly overtaken: RepairOutcome['overtaken']
    readonly plain: boolean
  },
): z.infer<typeof deadDetailSchema> {
  const said = item.letter ?? item.parked?.note
  const { event, ruling, plain } = parts
  const text = (words: string) => (plain ? words : maskText(words))
  return {
    ...shownItem(item, at),
    message: text(said?.message ?? ''),
    stack: text(said?.stack ?? ''),
    details: { ...said?.details },
    tries: (said?.tries ?? []).map((one) => ({ ...one, error: text(one.error) })),
    overtaken: parts.overtaken ?? null,
    ruling: ruling
      ? { ...ruling, ...(plain || !('data' in ruling) ? {} : { data: maskedData(ruling.data) }) }
      : null,
    event: event ? { ...event, data: plain ? event.data : maskedData(event.data) } : null,
  }
}

/** A parked key in a list. */
export function shownKey({ key, no, head, last, lined, note }: ParkedKey, partition: number) {
  const { why, type, attempts, reason, message, dueMs, sinceMs, fingerprint } = note
  return {
    partition,
    key,
    why,
    parkNo: no,
    head,
    last,
    lined,
    type,
    attempts,
    dueMs: dueMs ?? null,
    sinceMs,
    reason,
    class: fingerprint,
    message: maskText(message),
  }
}
