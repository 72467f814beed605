import { topic } from '@millrace/event'
import { z } from 'zod'

const id = z.string().min(1).max(64)
const day = z.iso.date()
/** Place in the database's log, as change streams write it: later ones have greater texts. */
const lsn = z.string().regex(/^[0-9a-f]{16}$/)

const orderLine = z.object({
  line: z.number().int().min(1),
  product: id,
  quantity: z.number().int().min(1),
  dueOn: day,
  status: z.enum(['open', 'cancelled']),
  version: z.number().int().min(1),
})
const order = z.object({
  id,
  supplier: id,
  status: z.enum(['open', 'shipped', 'delivered', 'cancelled']),
  orderedOn: day,
  lines: z.array(orderLine).max(200),
  version: z.number().int().min(1),
})

/** A purchase order as its owner tells it. */
export type OrderDocument = z.infer<typeof order>
export const orderDocument = order

/**
 * What all sources bring together. Keys are `order/<id>` and `product/<id>`: an order is told line by line to its
 * products (`OrderLineSeen`), where everything about a product meets.
 */
export const supply = topic('supply', {
  placement: 'together',
  partitions: 8,
  types: {
    /**
     * The whole product, published daily. `begunAt`: out of a snapshot; how far the partition went (seq) when that was
     * begun. What was published behind it is newer.
     */
    ProductInformation: z.object({
      name: z.string().min(1).max(200),
      supplier: id,
      dailyForecast: z.number().min(0),
      reorderLevel: z.number().min(0),
      begunAt: z.number().int().min(0).optional(),
    }),
    /** An order was placed; its owner has the rest. */
    PurchaseOrderCreated: z.object({ id }),
    /** The order's row has changed. */
    PurchaseOrderChanged: order,
    /** The order's row was deleted before the order had come to its end: as it was last. */
    PurchaseOrderDeleted: order,
    /** It was to be looked up, and its owner knows no such order. */
    PurchaseOrderUnknown: z.object({ id }),
    /** The order as it was when a system was filled. */
    PurchaseOrderSnapshot: order,
    /** The stock has moved by a difference; `lsn`: where the database's log tells it. */
    StockLevelChanged: z.object({ difference: z.number().int(), lsn: lsn.optional() }),
    /** The stock as it was at a place of the database's log. */
    StockCounted: z.object({ quantity: z.number().int(), lsn }),
    /** One line of an order, told to its product. */
    OrderLineSeen: z.object({
      order: id,
      line: z.number().int().min(1),
      supplier: id,
      quantity: z.number().int().min(1),
      orderedOn: day,
      dueOn: day,
      shipped: z.boolean(),
      finished: z.boolean(),
      /** Version of the order by which this line was changed last. */
      lineVersion: z.number().int().min(1),
      version: z.number().int().min(1),
    }),
    /** A new day: what depends on the date is judged anew. */
    ReviewDue: z.object({}),
  },
})

export const orderKey = (order: string): string => `order/${order}`
export const productKey = (product: string): string => `product/${product}`

/** What is suggested, by line of an order: the key is `<order>/<line>`. */
export const suggestions = topic('suggestions', {
  placement: 'together',
  partitions: 4,
  types: {
    /** A verdict on the line, with what it rests on. `finished`: there is nothing to decide any more. */
    LineReviewed: z.object({
      order: id,
      line: z.number().int().min(1),
      product: id,
      productName: z.string(),
      supplier: id,
      quantity: z.number().int(),
      dueOn: day,
      lineVersion: z.number().int().min(1),
      kind: z.enum(['cancel', 'postpone', 'bring-forward', 'keep', 'waiting', 'finished']),
      proposedDueOn: day.optional(),
      numbers: z.record(z.string(), z.number()),
      reason: z.string(),
    }),
  },
})
