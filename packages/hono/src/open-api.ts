import { catalogue, type ErrorCode, type Schema } from '@millrace/event'
import type { Hono } from 'hono'
import { describeRoute, type DescribeRouteOptions, generateSpecs, resolver } from 'hono-openapi'
import type { MiddlewareHandler } from 'hono'
import type { KitEnv } from './environment.ts'
import { problemType } from './problem.ts'
import { type ApiDocument, referencePage } from './reference-page.ts'
import { referenceStyle } from './reference-style.ts'
import { pagePolicy } from './security-headers.ts'

/** What an API says of itself. */
export interface ApiInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
}

/** One operation, for the document. */
export interface Operation {
  readonly summary: string
  readonly description?: string
  readonly tags?: readonly string[]
  /** Good answers by status. */
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: Schema; readonly type?: string }>
  >
  /** Codes of the problems that it may answer; those of every request (400, 404, 413, 415, 500) need no mention. */
  readonly problems?: readonly ErrorCode[]
  /** Whether `Idempotency-Key` is honoured. */
  readonly idempotent?: boolean
  /** Whether a bearer token is needed. */
  readonly secured?: boolean
}

/** Describes a route where it is declared: `app.post('/users', operation({ … }), jsonBody(schema), handler)`. */
export function operation(about: Operation): MiddlewareHandler<KitEnv> {
  const responses: NonNullable<DescribeRouteOptions['responses']> = {
    ...problemResponses(about.problems ?? []),
  }
  for (const [status, { description, schema, type }] of Object.entries(about.answers))
    responses[status] = {
      description,
      ...(schema ? { content: { [type ?? 'application/json']: { schema: resolver(schema) } } } : {}),
    }
  return describeRoute({
    summary: about.summary,
    ...(about.description === undefined ? {} : { description: about.description }),
    ...(about.tags ? { tags: [...about.tags] } : {}),
    ...(about.secured === true ? { security: [{ bearer: [] }] } : {}),
    ...(about.idempotent === true
      ? { parameters: [{ $ref: '#/components/parameters/IdempotencyKey' }] }
      : {}),
    responses,
  })
}

/** Responses for problems, by status; each status names its codes. All refer to one schema. */
export function problemResponses(
  codes: readonly ErrorCode[],
): NonNullable<DescribeRouteOptions['responses']> {
  const byStatus = Map.groupBy(codes, (code) => catalogue[code].status)
  const responses: NonNullable<DescribeRouteOptions['responses']> = {}
  for (const [status, some] of byStatus)
    responses[status] = {
      description: some.map((code) => `\`${code}\`: ${catalogue[code].title}`).join('; '),
      content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
    }
  return responses
}

/** Where an app describes itself: no secrets, so nobody has to say who they are. */
export const descriptionPaths: readonly string[] = ['/', '/openapi.json', '/docs', '/docs/style.css']

/**
 * Adds `/openapi.json` and a page to browse it at `/docs`, where an empty path leads unless the app has another use for
 * it. Call it after all routes are there. The page is plain HTML of our own: it loads nothing from elsewhere and runs no
 * script.
 */
export function openApi(app: Hono<KitEnv>, info: ApiInfo): void {
  let made: Promise<ApiDocument> | undefined
  const document = (): Promise<ApiDocument> => (made ??= makeDocument(app, info))
  app.get('/', (c) => c.redirect('/docs', 302))
  app.get('/openapi.json', async (c) => c.json(await document()))
  app.get('/docs', async (c) => {
    c.header('Content-Security-Policy', pagePolicy)
    return c.html(referencePage(await document()))
  })
  app.get('/docs/style.css', (c) =>
    c.body(referenceStyle, 200, { 'Content-Type': 'text/css; charset=utf-8' }),
  )
}

/** Makes the OpenAPI 3.1 document of an app. */
export async function makeDocument(app: Hono<KitEnv>, info: ApiInfo): Promise<ApiDocument> {
  const specs = await generateSpecs(app, {
    exclude: [...descriptionPaths],
    defaultValidationErrorResponse: {
      description: 'The request breaks the rules of its fields, or cannot be read',
      content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
    },
    documentation: {
      info: { ...info },
      components: {
        schemas: { Problem: problemSchema },
        parameters: { IdempotencyKey: idempotencyKey },
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      },
    },
  })
  return JSON.parse(JSON.stringify(specs)) as ApiDocument
}

const text = { type: 'string' } as const

const problemSchema = {
  type: 'object' as const,
  description: 'Problem details (RFC 9457). `code` is stable; some codes add members of their own.',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
  properties: {
    type: { type: 'string' as const, description: '`urn:millrace:error:` and the code' },
    title: text,
    status: { type: 'integer' as const },
    detail: text,
    instance: { type: 'string' as const, description: 'Path of the request' },
    code: { type: 'string' as const, enum: Object.keys(catalogue) },
    correlationId: { type: 'string' as const, description: 'The same as in the header X-Correlation-Id' },
    errors: {
      type: 'array' as const,
      description: 'One entry a field',
      items: {
        type: 'object' as const,
        required: ['field', 'message'],
        properties: { field: text, message: text },
      },
    },
  },
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The same key and body get the same success again; the same key with another body is refused with 422.',
  schema: { type: 'string' as const, maxLength: 200 },
}
