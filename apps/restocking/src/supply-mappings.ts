import type { Change, Mapping, SnapshotOfRow } from '@millrace/source'
import { z } from 'zod'
import { orderKey, productKey, supply } from './supply-topic.ts'

const orderRow = z.object({
  id: z.string(),
  supplier_id: z.string(),
  status: z.string(),
  ordered_on: z.string(),
  lines: z.unknown(),
  version: z.number(),
})
const movementRow = z.object({ product_id: z.string(), difference: z.number() })
const noticeRow = z.object({ type: z.string(), key: z.string() })

/**
 * What the change stream of the central database is on the topic of supplies: changed orders whole (the table tells old
 * rows in full, for columns that an update leaves alone), differences of the stock, and notices that an order was placed.
 *
 * @param schema Schema of the central database's tables.
 */
export function supplyMappings(schema: string): readonly Mapping[] {
  const common = { topic: supply, snapshot: false } as const
  return [
    {
      ...common,
      table: `${schema}.purchase_order`,
      map: (change) => {
        // A new order is told by its notice.
        if (change.kind !== 'update' && change.kind !== 'delete') return []
        const { id, supplier_id: supplier, status, ordered_on, lines, version } = rowOf(orderRow, change)
        const data = { id, supplier, status, orderedOn: ordered_on.slice(0, 10), lines, version }
        if (change.kind === 'update') return [{ type: 'PurchaseOrderChanged', key: orderKey(id), data }]
        // The end of one that was delivered or cancelled has been told.
        const hadEnded = status === 'delivered' || status === 'cancelled'
        return hadEnded ? [] : [{ type: 'PurchaseOrderDeleted', key: orderKey(id), data }]
      },
    },
    {
      ...common,
      table: `${schema}.stock_movement`,
      map: (change, place) => {
        if (change.kind !== 'insert') return []
        const { product_id, difference } = rowOf(movementRow, change)
        const data = { difference, ...(place ? { lsn: place.position } : {}) }
        return [{ type: 'StockLevelChanged', key: productKey(product_id), data }]
      },
    },
    {
      ...common,
      table: `${schema}.outbox`,
      map: (change) => {
        if (change.kind !== 'insert') return []
        const { type, key } = rowOf(noticeRow, change)
        return type === 'PurchaseOrderCreated' ? [{ type, key: orderKey(key), data: { id: key } }] : []
      },
    },
  ]
}

/** The row after a change, with what the change left alone. */
function rowOf<T>(schema: z.ZodType<T>, change: Change | SnapshotOfRow): T {
  const before = change.kind === 'snapshot' ? {} : change.before
  return schema.parse({ ...before, ...change.row })
}
