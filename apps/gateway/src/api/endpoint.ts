import type { Schema } from '@millrace/event'
import { type KitEnv, operation, type Operation } from '@millrace/hono'
import type { MiddlewareHandler } from 'hono'
import { describeRoute, resolver } from 'hono-openapi'

/** An operation that another service carries out. */
export interface Endpoint extends Operation {
  /** Its name in clients that are generated. */
  readonly id: string
  /** What its JSON body looks like. Only said here: the service behind it checks it. */
  readonly body?: Schema
}

/** Describes a forwarded route for the OpenAPI document: handlers for `app.post(path, ...endpoint({…}), …)`. */
export function endpoint(about: Endpoint): readonly [MiddlewareHandler<KitEnv>, MiddlewareHandler] {
  const { id, body } = about
  const further = describeRoute({
    operationId: id,
    ...(body
      ? { requestBody: { required: true, content: { 'application/json': { schema: resolver(body) } } } }
      : {}),
  })
  return [operation(about), further]
}
