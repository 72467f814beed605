import type { OutputOf, Schema } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import { resolver, uniqueSymbol } from 'hono-openapi'
import type { KitEnv } from './environment.ts'
import { checkFields } from './fields.ts'

/** What {@link queryFields} leaves for `c.req.valid('query')`. */
export interface QueryInput<S extends Schema> {
  in: { query: OutputOf<S> }
  out: { query: OutputOf<S> }
}

/**
 * Takes the parameters of the query that fit the schema; handlers find them under `c.req.valid('query')`.
 * A name that comes twice counts once, the first. Answers 400 `request.invalid` with one entry a field.
 */
export function queryFields<S extends Schema, P extends string>(
  schema: S,
): MiddlewareHandler<KitEnv, P, QueryInput<S>> {
  const middleware: MiddlewareHandler<KitEnv, P, QueryInput<S>> = async (c, next) => {
    c.req.addValidatedData('query', (await checkFields(schema, c.req.query())) as object)
    await next()
  }
  const described = {
    target: 'query' as const,
    ...resolver(schema, { options: { io: 'input' } }),
    options: undefined,
  }
  return Object.assign(middleware, { [uniqueSymbol]: described })
}
