import { MillraceError } from '@millrace/event'
import type { ServiceClient } from '@millrace/hono'
import { z } from 'zod'
import type { OrderDesk, Supplier } from './carry-out-saga.ts'
import type { OrderOwner } from './review-processor.ts'
import type { SuggestionFacts } from './suggestion.ts'
import { orderDocument } from './supply-topic.ts'

const supplierAnswer = z.object({ name: z.string(), email: z.string() })

/** Purchasing over HTTP: owner of the orders, and desk where they are changed. */
export function purchasingClient(client: ServiceClient): OrderOwner & OrderDesk {
  const understood = <T>(schema: z.ZodType<T>, body: unknown): T => {
    const answer = schema.safeParse(body)
    if (answer.success) return answer.data
    throw new MillraceError('service.failed', 'Purchasing gave an answer that cannot be understood')
  }
  return {
    order: async (id, signal) =>
      understood(orderDocument, (await client.json(`/orders/${encodeURIComponent(id)}`, { signal })).body),
    carryOut: async (suggestion, { idempotencyKey, correlationId, signal }) => {
      const { order, line, lineVersion: version } = suggestion
      await client.json(`/orders/${encodeURIComponent(order)}/lines/${line}/carry-out`, {
        body: { ...actionOf(suggestion), version },
        headers: { 'X-Correlation-Id': correlationId },
        idempotencyKey,
        signal,
      })
    },
    supplier: async (id, { correlationId, signal }): Promise<Supplier> => {
      const headers = { 'X-Correlation-Id': correlationId }
      const { body } = await client.json(`/suppliers/${encodeURIComponent(id)}`, { headers, signal })
      return understood(supplierAnswer, body)
    },
  }
}

function actionOf({ id, kind, proposedDueOn }: SuggestionFacts): object {
  if (kind === 'cancel') return { action: kind }
  if (proposedDueOn === undefined)
    throw new MillraceError('event.invalid', `Suggestion ${id} proposes no date`)
  return { action: kind, dueOn: proposedDueOn }
}
