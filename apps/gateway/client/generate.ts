import { writeFileSync } from 'node:fs'
import { serviceClient } from '@millrace/hono'
import { createGateway } from '../src/gateway.ts'
import { comment, type JsonSchema, membersOf, typeOfSchema } from './type-of-schema.ts'

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: JsonSchema
  readonly $ref?: string
}

type Content = Readonly<Record<string, { readonly schema?: JsonSchema }>>

interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly description?: string
  readonly security?: readonly unknown[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

/** Where the generated part of the client lies. */
export const generatedFile = new URL('operations.ts', import.meta.url)

/** The generated part of the client, as text; formatted by `oxfmt` afterwards. */
export async function generate(): Promise<string> {
  const { paths, components } = await publicDocument()
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, about]) => ({ path, method, about })),
  )
  const types = Object.entries(components.schemas).map(
    ([name, schema]) =>
      `${comment(schema.description)}export interface ${name} { ${membersOf(schema).join(' ')} }`,
  )
  return `// Generated from /openapi.json by generate.ts beside it. Change the gateway, then run:
// node apps/all-in-one/bootstrap.mjs run node apps/gateway/client/generate.ts

${types.join('\n\n')}

/** What each operation takes and answers. */
export interface Operations {
${operations.map(({ about }) => `${comment(said(about))}readonly ${about.operationId}: ${shapeOf(about)};`).join('\n')}
}

/** Where each operation is. */
export const operations = {
${operations.map(({ path, method, about }) => `${about.operationId}: ${placeOf(path, method, about)},`).join('\n')}
} as const
`
}

async function publicDocument(): Promise<Document> {
  const ignore = (): void => undefined
  const app = createGateway({
    userCommand: serviceClient({ name: 'user-command' }),
    userQuery: serviceClient({ name: 'user-query' }),
    publicUrl: 'http://127.0.0.1:3000',
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    context: { run: (_ids, fn) => fn(), current: () => undefined },
  })
  return (await (await app.request('/openapi.json')).json()) as Document
}

function said({ summary = '', description }: Operation): string {
  return description === undefined ? `${summary}.` : `${summary}. ${description}`
}

function shapeOf(about: Operation): string {
  const parameters = (about.parameters ?? []).filter(({ in: place }) => place === 'path' || place === 'query')
  const members = parameters.map(
    ({ name, required, description, schema }) =>
      `${comment(description)}readonly ${name}${required === true ? '' : '?'}: ${typeOfSchema(schema)};`,
  )
  const body = about.requestBody?.content['application/json']?.schema
  if (body) members.push(`readonly body: ${typeOfSchema(body)};`)
  const answers = Object.entries(about.responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([status, { description, content }]) => {
      const schema = content?.['application/json']?.schema
      return `${comment(description)}readonly ${status}: ${schema ? typeOfSchema(schema) : 'undefined'};`
    })
  return `{ readonly input: { ${members.join(' ')} }; readonly answers: { ${answers.join(' ')} } }`
}

function placeOf(path: string, method: string, about: Operation): string {
  const query = (about.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name)
  return JSON.stringify({
    method: method.toUpperCase(),
    path,
    query,
    body: about.requestBody !== undefined,
    secured: about.security !== undefined,
  })
}

if (import.meta.main) writeFileSync(generatedFile, await generate())
