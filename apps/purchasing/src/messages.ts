import { z } from 'zod'

// What requests carry, and what answers are.

const day = z.iso.date()
const id = z.string().min(1).max(64)
const pieces = z.number().int().min(1).max(1_000_000)
export const placeBody = z.strictObject({
  supplier: id,
  lines: z
    .array(z.strictObject({ product: id, quantity: pieces, dueOn: day }))
    .min(1)
    .max(200),
})
export const carryOutBody = z
  .discriminatedUnion('action', [
    z.strictObject({ action: z.literal('cancel'), version: z.number().int().min(1) }),
    z.strictObject({
      action: z.enum(['postpone', 'bring-forward']),
      dueOn: day,
      version: z.number().int().min(1),
    }),
  ])
  .describe('What to do about the line, judged on the version of the line that it is about')
export const moveBody = z.strictObject({
  difference: z
    .number()
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .refine((value) => value !== 0, 'must not be 0'),
  reason: z.string().min(1).max(100),
})
const lineAnswer = z.object({
  line: z.number(),
  product: z.string(),
  quantity: z.number(),
  dueOn: z.string(),
  status: z.enum(['open', 'cancelled']),
  version: z.number(),
})
export const orderAnswer = z.object({
  id: z.string(),
  supplier: z.string(),
  status: z.enum(['open', 'shipped', 'delivered', 'cancelled']),
  orderedOn: z.string(),
  lines: z.array(lineAnswer),
  version: z.number(),
})
export const supplierAnswer = z.object({ id: z.string(), name: z.string(), email: z.string() })
export const stockAnswer = z.object({ product: z.string(), quantity: z.number() })
