import type { CentralDatabase, Order } from '@millrace-app/purchasing'
import { review } from '@millrace-app/restocking'

/** What is to be suggested: by the id of the suggestion, its kind and date. */
export type Wanted = ReadonlyMap<
  string,
  { readonly kind: string; readonly proposedDueOn: string | undefined }
>

interface ProductRow {
  readonly id: string
  readonly name: string
  readonly supplier: string
  readonly dailyForecast: number
  readonly reorderLevel: number
  readonly stock: number | null
}

interface OrderRow extends Pick<Order, 'id' | 'supplier' | 'status' | 'orderedOn' | 'lines' | 'version'> {}

/** Judges every open line of the central database by the rules alone, with no event and no state. */
export async function wantedSuggestions(central: CentralDatabase, today: string): Promise<Wanted> {
  const wanted = new Map<string, { kind: string; proposedDueOn: string | undefined }>()
  await central.read(async (queries) => {
    const products = await queries.rows<ProductRow>(
      `SELECT product.id, name, supplier_id AS supplier, daily_forecast::float8 AS "dailyForecast",
         reorder_level AS "reorderLevel", quantity::float8 AS stock
       FROM product LEFT JOIN stock ON product_id = product.id`,
    )
    const byId = new Map(products.map((one) => [one.id, one]))
    const orders = await queries.rows<OrderRow>(
      `SELECT id, supplier_id AS supplier, status, ordered_on::text AS "orderedOn", lines, version FROM purchase_order
       WHERE status IN ('open', 'shipped')`,
    )
    for (const order of orders)
      for (const line of order.lines) {
        if (line.status !== 'open') continue
        const facts = {
          ...{ order: order.id, line: line.line, supplier: order.supplier, quantity: line.quantity },
          ...{ orderedOn: order.orderedOn, dueOn: line.dueOn, shipped: order.status === 'shipped' },
          ...{ lineVersion: line.version, version: order.version },
        }
        const product = byId.get(line.product)
        const { kind, proposedDueOn } = review(facts, product, product?.stock ?? undefined, today)
        if (kind !== 'keep' && kind !== 'waiting')
          wanted.set(`${order.id}.${line.line}.v${line.version}.${kind}`, { kind, proposedDueOn })
      }
  })
  return wanted
}
