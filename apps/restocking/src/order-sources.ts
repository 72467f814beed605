import { type Event, MillraceError } from '@millrace/event'
import type { SourceOfTruth, SourcesOfTruth } from '@millrace/processor'
import type { OrderOwner } from './review-processor.ts'
import { orderKey } from './supply-topic.ts'

/**
 * How an order is now, as its owner tells it: what takes the place of an event about it that could not be processed.
 * The key names the order, because the data may be what is broken.
 */
export function orderSources(orders: OrderOwner): SourcesOfTruth {
  const source: SourceOfTruth = {
    fetch: async ({ subject }, signal) => {
      if (!subject.startsWith(orderKey('')))
        throw new MillraceError('source.refused', `The key ${subject} names no order`)
      try {
        const data = await orders.order(subject.slice(orderKey('').length), signal)
        return { data, version: data.version }
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        if (error.code === 'order.unknown') return undefined
        throw new MillraceError('source.failed', `The owner of the orders says: ${error.message}`, {
          cause: error,
        })
      }
    },
    versionOf,
  }
  return { PurchaseOrderChanged: source, PurchaseOrderSnapshot: source }
}

function versionOf({ data }: Event): number | undefined {
  if (typeof data !== 'object' || data === null || !('version' in data)) return undefined
  return Number.isSafeInteger(data.version) ? Number(data.version) : undefined
}
