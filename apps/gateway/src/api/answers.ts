import { z } from 'zod'

const id = z
  .string()
  .meta({ description: 'Of the account', examples: ['01960d4e-7c1f-7a53-9c9e-3f7d0e1c2b4a'] })
const position = z.string().meta({
  description: 'Place of the event on the log; a read with `after` waits for it',
  examples: ['accounts/3/1700000000000-42'],
})
const correlationId = z.string().meta({ description: 'Of the request that had the effect' })
const token = z.string().meta({ description: 'Bearer token of the session' })
const expiresAt = z.string().meta({ description: 'When the token ends (ISO 8601)' })

/** Answers of the operations, for the OpenAPI document. */
export const answers = {
  withSession: z.object({ id, position, correlationId, token, expiresAt }),
  message: z.object({ message: z.string() }),
  session: z.object({ token, expiresAt, account: z.object({ id, activated: z.boolean() }) }),
  account: z.object({
    id,
    username: z.string(),
    email: z.string(),
    activated: z.boolean().meta({ description: 'Whether the address is confirmed' }),
    createdAt: z.string().meta({ description: 'ISO 8601' }),
    version: z.int().meta({ description: 'Events of the account so far; also the ETag' }),
  }),
  written: z.object({ id, position, correlationId }),
  activated: z.object({
    id,
    position,
    already: z.literal(true).optional().meta({ description: 'The address was confirmed before' }),
  }),
} as const
