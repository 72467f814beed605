import { z } from 'zod'

const place = { group: z.string(), eventId: z.string(), position: z.string() }
const atMs = z.number().meta({ description: 'ms since the epoch' })

const entrySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('request'),
    atMs,
    service: z.string(),
    method: z.string(),
    route: z.string(),
    status: z.int(),
    tookMs: z.number(),
  }),
  z.object({
    kind: z.literal('event'),
    atMs,
    eventId: z.string(),
    position: z.string(),
    type: z.string(),
    key: z.string(),
    source: z.string(),
    time: z.string(),
    correlationId: z.string(),
    causationId: z.string().optional(),
    actor: z.string().optional(),
  }),
  z.object({
    kind: z.literal('fact'),
    atMs,
    ...place,
    fact: z.looseObject({ what: z.string(), atMs }),
  }),
  z.object({
    kind: z.literal('note'),
    atMs,
    ...place,
    text: z.string(),
    details: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
  z.object({
    kind: z.literal('settled'),
    atMs,
    ...place,
    member: z.string().optional(),
    afterMs: z.number().optional(),
    whenUnknown: z.literal(true).optional(),
  }),
])

/** A story as JSON; see docs/explain.md. */
export const storySchema = z.object({
  asked: z.record(z.string(), z.string()),
  entries: z.array(entrySchema),
  open: z.array(z.object({ ...place, state: z.string(), why: z.string(), dueMs: z.number().optional() })),
  beyond: z.int(),
  behind: z.int(),
})
