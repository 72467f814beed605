import { z } from 'zod'
import { deadQuery, groupQuery, selectionRepairBody } from './repairs-input.ts'

const name = z.string().min(1).max(200)

/** Which dead effects a list is to have. */
export const effectQuery = deadQuery.omit({ type: true, status: true }).extend({ name: name.optional() })

const ordered = selectionRepairBody
  .pick({ data: true, patch: true, reason: true, force: true, dryRun: true })
  .extend({ action: z.enum(['ignore', 'requeue', 'edit']) })

/** The repair of one effect. */
export const effectRepairBody = ordered.extend({ turn: z.number().int().min(0).optional() })

/** The repair of a selection, a page at a time: `after` is the `next` of the answer before. */
export const effectsRepairBody = ordered.extend({
  ...groupQuery.shape,
  filter: z
    .object({
      name: name.optional(),
      class: name.optional(),
      key: z.string().max(512).optional(),
      fromMs: z.number().int().optional(),
      untilMs: z.number().int().optional(),
    })
    .default({}),
  after: z.string().max(100).optional(),
  limit: z.number().int().min(1).max(1_000).default(500),
})

/** What every repair says of itself. */
export type EffectOrderInput = z.infer<typeof ordered>
