import { MillraceError } from '@millrace/event'
import type { Queries } from '@millrace/postgres'

/** All of these have to be there. @throws {MillraceError} `supplier.unknown`, `product.unknown` */
export async function demandAll(
  queries: Queries,
  table: 'supplier' | 'product',
  ids: readonly string[],
): Promise<void> {
  const sql = `SELECT wanted FROM unnest($1::text[]) AS wanted WHERE NOT EXISTS (SELECT FROM ${table} WHERE id = wanted)`
  const [missing] = await queries.rows<{ wanted: string }>(sql, [ids])
  if (missing) throw new MillraceError(`${table}.unknown`, `There is no ${table} ${missing.wanted}`)
}
