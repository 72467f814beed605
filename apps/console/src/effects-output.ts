import { maskText, parseJson } from '@millrace/event'
import {
  type DeadEffect,
  deadEffectOf,
  effectNoteOf,
  type GroupPartition,
  type RecordedEffect,
  type RepairOutcome,
} from '@millrace/processor'
import { maskedData } from '@millrace/retry'
import { z } from 'zod'

const overtaken = z.object({ count: z.number(), first: z.number(), last: z.number() })

/** A dead effect in a list. */
export const effectSchema = z.object({
  idempotencyKey: z.string(),
  name: z.string(),
  partition: z.number(),
  key: z.string(),
  seq: z.number(),
  no: z.number(),
  turn: z.number(),
  status: z.enum(['pending', 'parked', 'dead']),
  reason: z.string(),
  class: z.string(),
  message: z.string(),
  attempts: z.number(),
  correlationId: z.string(),
  atMs: z.number(),
})

export const effectPageSchema = z.object({ items: z.array(effectSchema), next: z.string().nullable() })

/** One with everything that is known of it. */
export const effectDetailSchema = effectSchema.extend({
  stack: z.string(),
  details: z.record(z.string(), z.unknown()),
  tries: z.array(z.object({ atMs: z.number(), tookMs: z.number(), member: z.string(), error: z.string() })),
  overtaken: overtaken.nullable(),
  ruling: z.unknown(),
  original: z.unknown(),
  payload: z.unknown(),
})

export const effectOutcomeSchema = z.object({
  partition: z.number(),
  idempotencyKey: z.string(),
  name: z.string().optional(),
  key: z.string().optional(),
  no: z.number().optional(),
  seq: z.number().optional(),
  status: z.string(),
  overtaken: overtaken.optional(),
  message: z.string().optional(),
  code: z.string().optional(),
})

export const effectOutcomesSchema = z.object({
  outcomes: z.array(effectOutcomeSchema),
  next: z.string().nullable(),
})

/** How an effect is shown in lists: texts masked, without its payload. */
export function shownEffect(
  { effect, atMs, reasonClass }: DeadEffect,
  { partition }: GroupPartition,
): z.infer<typeof effectSchema> {
  const { idempotencyKey, name, key, seq, no, turn, status, correlationId } = effect
  const note = effectNoteOf(effect.note)
  return {
    ...{ idempotencyKey, name, partition, key, seq, no, turn, status, correlationId, atMs },
    reason: note.reason ?? '',
    class: reasonClass,
    message: maskText(note.message ?? ''),
    attempts: note.attempts ?? 0,
  }
}

/** Everything that is known of an effect. `plain`: texts and data as they are. */
export function shownEffectDetail(
  effect: RecordedEffect,
  at: GroupPartition,
  parts: { readonly overtaken: RepairOutcome['overtaken']; readonly plain: boolean },
): z.infer<typeof effectDetailSchema> {
  const note = effectNoteOf(effect.note)
  const text = (words: string) => (parts.plain ? words : maskText(words))
  const data = (json: string) => (parts.plain ? parseJson(json) : maskedData(parseJson(json)))
  const { original, ...ruling } = effect.ruling ?? {}
  return {
    ...shownEffect(deadEffectOf(effect), at),
    message: text(note.message ?? ''),
    stack: text(note.stack ?? ''),
    details: { ...note.details },
    tries: (note.tries ?? []).map((one) => ({ ...one, error: text(one.error) })),
    overtaken: parts.overtaken ?? null,
    ruling: effect.ruling ? ruling : null,
    original: original === undefined ? null : data(original),
    payload: data(effect.payload),
  }
}
