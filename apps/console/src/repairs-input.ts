import { z } from 'zod'

const name = z.string().min(1).max(200)
const whole = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** Which group a request is about. */
export const groupQuery = z.object({ topic: name, group: name })

/** Which dead letters and held keys a list is to have. */
export const deadQuery = groupQuery.extend({
  partition: whole.optional(),
  class: name.optional(),
  type: name.optional(),
  key: z.string().max(512).optional(),
  status: z.enum(['dead', 'held']).optional(),
  fromMs: whole.optional(),
  untilMs: whole.optional(),
  after: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

/** A page of another list. */
export const pageQuery = groupQuery.extend({
  partition: whole.default(0),
  after: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

const ordered = z.object({
  action: z.enum(['ignore', 'requeue', 'edit', 'refetch']),
  /** With edit: the corrected data, or a JSON merge patch of them. */
  data: z.unknown().optional(),
  patch: z.unknown().optional(),
  reason: z.string().min(1).max(1_000),
  force: z.boolean().default(false),
  dryRun: z.boolean().default(false),
})

/** The repair of one event. */
export const repairBody = ordered.extend({ parkNo: z.number().int().min(0).optional() })

/** The repair of a parked key as a whole. */
export const keyRepairBody = ordered.extend({ key: z.string().max(512) })

/** The repair of a selection, a page at a time: `after` is the `next` of the answer before. */
export const selectionRepairBody = ordered.extend({
  topic: name,
  group: name,
  filter: z
    .object({
      class: name.optional(),
      type: name.optional(),
      key: z.string().max(512).optional(),
      status: z.enum(['dead', 'held']).optional(),
      fromMs: z.number().int().optional(),
      untilMs: z.number().int().optional(),
    })
    .default({}),
  after: z.string().max(100).optional(),
  limit: z.number().int().min(1).max(1_000).default(500),
})

/** What every repair says of itself. */
export type OrderInput = z.infer<typeof ordered>
