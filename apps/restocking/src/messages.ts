import { z } from 'zod'
import { actionKinds } from './suggestion.ts'

// What requests carry, and what answers are.

const statuses = [
  'open',
  'snoozed',
  'in-progress',
  'completed',
  'needs-attention',
  'dismissed',
  'withdrawn',
] as const

export const listQuery = z.object({
  status: z.enum(statuses).optional(),
  supplier: z.string().max(64).optional(),
  product: z.string().max(64).optional(),
  kind: z.enum(actionKinds).optional(),
  after: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(2_000).default(500),
})
export const snoozeBody = z.strictObject({ until: z.iso.datetime() })
export const manyBody = z.strictObject({ ids: z.array(z.string().min(1).max(200)).min(1).max(500) })
export const attentionBody = z.strictObject({ action: z.enum(['retry', 'settle']) })

export const suggestionAnswer = z.object({
  id: z.string(),
  order: z.string(),
  line: z.number(),
  product: z.string(),
  productName: z.string(),
  supplier: z.string(),
  quantity: z.number(),
  dueOn: z.string(),
  lineVersion: z.number(),
  kind: z.enum(actionKinds),
  proposedDueOn: z.string().optional(),
  numbers: z.record(z.string(), z.number()),
  reason: z.string(),
  status: z.enum(statuses),
  statusReason: z.string().optional(),
  snoozedUntil: z.string().optional(),
})
export const pageAnswer = z.object({
  suggestions: z.array(suggestionAnswer),
  /** Give it as `after` for the next page; absent on the last one. */
  next: z.string().optional(),
  /** Give it as `Last-Event-ID` to the stream: nothing is missed then. */
  feed: z.number(),
})
export const verdictsAnswer = z.object({
  order: z.string(),
  lines: z.array(
    z.object({
      line: z.number(),
      product: z.string(),
      lineVersion: z.number(),
      kind: z.string(),
      numbers: z.record(z.string(), z.number()),
      reason: z.string(),
      reviewedAt: z.string(),
      correlationId: z.string(),
      suggestion: z.string().optional(),
    }),
  ),
})
export const manyAnswer = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      status: z.enum(statuses).optional(),
      problem: z.object({ code: z.string(), detail: z.string() }).optional(),
    }),
  ),
})
