import type { Pool } from 'pg'
import { openPool, type PoolOptions } from './pool.ts'

/** A pool whose connections find their tables in one schema, whichever bears that name at the time. */
export function openSchemaPool(url: string, schema: string, options: PoolOptions): Pool {
  const scoped = new URL(url)
  const before = scoped.searchParams.get('options')
  scoped.searchParams.set('options', `${before === null ? '' : `${before} `}-c search_path=${schema}`)
  // URLSearchParams writes a blank as +, which the driver does not read back.
  scoped.search = scoped.search.replaceAll('+', '%20')
  return openPool(scoped.href, options)
}
