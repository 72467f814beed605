import { catalogue, type FieldError, MillraceError } from '@millrace/event'
import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { KitEnv } from './environment.ts'
import type { KitLogger } from './ports.ts'

/** Problem details (RFC 9457) as every service answers them; members beyond these come from the error's details. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance: string
  readonly code: string
  readonly correlationId?: string
  readonly errors?: readonly FieldError[]
  readonly [detail: string]: unknown
}

/** Media type of problem details. */
export const problemType = 'application/problem+json'

/** Builds the document. An error that answers 500 shows nothing of its inside but its code. */
export function problemOf(
  error: MillraceError,
  place: { instance: string; correlationId?: string | undefined },
): Problem {
  const inside = error.status === 500
  return {
    ...(inside ? {} : error.details),
    type: `urn:millrace:error:${error.code}`,
    title: error.title,
    status: error.status,
    detail: inside ? catalogue[error.code].hint : error.message,
    instance: place.instance,
    code: error.code,
    ...(place.correlationId === undefined ? {} : { correlationId: place.correlationId }),
    ...(error.errors.length === 0 || inside ? {} : { errors: error.errors }),
  }
}

/** Answers a request with the problem that an error stands for. */
export function problem<E extends KitEnv>(c: Context<E>, error: unknown): Response {
  const known = asMillraceError(error)
  const document = problemOf(known, { instance: c.req.path, correlationId: c.get('correlationId') })
  return c.body(JSON.stringify(document), known.status as ContentfulStatusCode, problemHeaders(known))
}

/** Headers that go with a problem: its media type, and what its status asks for. */
export function problemHeaders(error: MillraceError): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': problemType, 'Cache-Control': 'no-store' }
  const wait = error.details['retryAfterSeconds']
  if (typeof wait === 'number') headers['Retry-After'] = String(Math.max(1, Math.ceil(wait)))
  else if (error.retryable && error.status === 503) headers['Retry-After'] = '1'
  const allow = error.details['allow']
  if (error.status === 405 && Array.isArray(allow)) headers['Allow'] = allow.join(', ')
  if (error.status === 401) headers['WWW-Authenticate'] = 'Bearer realm="millrace"'
  return headers
}

/** The error handler of an app: answers the problem, and logs what nobody foresaw with its stack. */
export function onError(logger: KitLogger): ErrorHandler<KitEnv> {
  return (error, c) => problem(c, logged(logger, error, c.req.method))
}

/** What an error means to a caller, when it is logged. */
export function logged(logger: KitLogger, error: unknown, method: string): MillraceError {
  const known = asMillraceError(error)
  const fields = { code: known.code, status: known.status, method }
  if (known.code === 'internal')
    logger.error('A request failed with an error that nobody foresaw', { ...fields, err: error })
  else if (known.status === 500) logger.error(known.message, { ...fields, err: known })
  else if (known.status > 500) logger.warn(known.message, fields)
  else logger.debug(known.message, fields)
  return known
}

/** The answer where no route matches. */
export const notFound: NotFoundHandler<KitEnv> = (c) =>
  problem(c, new MillraceError('route.unknown', `There is nothing at ${c.req.path}`))

/** What any thrown value means to a caller. */
export function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  if (error instanceof HTTPException) {
    const code = codeOfStatus[error.status]
    if (code) return new MillraceError(code, error.message || undefined, { cause: error })
  }
  return new MillraceError('internal', undefined, { cause: error })
}

const codeOfStatus: Readonly<Record<number, keyof typeof catalogue>> = {
  400: 'request.malformed',
  401: 'request.unauthorized',
  403: 'request.forbidden',
  404: 'route.unknown',
  405: 'route.method',
  408: 'request.slow',
  413: 'request.too-large',
  415: 'request.media-type',
  429: 'request.limited',
}
