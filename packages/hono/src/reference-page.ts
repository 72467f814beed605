/** The parts of an OpenAPI 3.1 document that the page shows. */
export interface ApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

interface ApiOperation {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly security?: readonly unknown[]
  readonly parameters?: readonly ApiParameter[]
  readonly requestBody?: { readonly content?: Content }
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}

interface ApiParameter {
  readonly $ref?: string
  readonly name?: string
  readonly in?: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: unknown
}

type Content = Readonly<Record<string, { readonly schema?: unknown }>>

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

/** An OpenAPI document as one page to read: no script, nothing from elsewhere. */
export function referencePage(document: ApiDocument): string {
  const { info, components } = document
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => (item[method] ? [{ path, method, about: item[method] }] : [])),
  )
  const groups = Map.groupBy(operations, ({ about }) => about.tags?.[0] ?? 'Operations')
  const anchors = new Map(operations.map((one, at) => [one, `op-${at + 1}`]))
  const contents = [...groups].map(
    ([tag, some]) =>
      `<h3>${escape(tag)}</h3><ul>${some
        .map(
          (one) =>
            `<li><a href="#${anchors.get(one)}"><b>${one.method.toUpperCase()}</b> ${escape(one.path)}</a></li>`,
        )
        .join('')}</ul>`,
  )
  const sections = [...groups].map(
    ([tag, some]) =>
      `<h2>${escape(tag)}</h2>${some.map((one) => section(one, anchors.get(one) ?? '', document)).join('')}`,
  )
  const schemas = Object.entries(components?.['schemas'] ?? {}).map(
    ([name, schema]) =>
      `<section id="schema-${escape(name)}"><h3>${escape(name)}</h3>${json(schema)}</section>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escape(info.title)}</title><link rel="stylesheet" href="docs/style.css"></head>
<body><nav aria-label="Contents"><h2>${escape(info.title)}</h2><p><a href="openapi.json">openapi.json</a></p>${contents.join('')}</nav>
<main><h1>${escape(info.title)} <small>${escape(info.version)}</small></h1>${prose(info.description)}
${sections.join('\n')}<h2>Schemas</h2>${schemas.join('\n')}</main></body></html>`
}

function section(
  one: { path: string; method: string; about: ApiOperation },
  anchor: string,
  document: ApiDocument,
): string {
  const { path, method, about } = one
  const parameters = (about.parameters ?? []).map((given) => resolved(given, document))
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${escape(name ?? '')}</code></td><td>${escape(place ?? '')}${required === true ? ', required' : ''}</td><td>${escape(shortType(schema))}</td><td>${inline(description ?? '')}</td></tr>`,
  )
  const table =
    rows.length === 0
      ? ''
      : `<h4>Parameters</h4><table><tr><th>Name</th><th>In</th><th>Type</th><th>Meaning</th></tr>${rows.join('')}</table>`
  const body = Object.entries(about.requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<p><code>${escape(type)}</code></p>${json(schema)}`,
  )
  const answers = Object.entries(about.responses ?? {}).map(
    ([status, { description, content }]) =>
      `<dt>${escape(status)}</dt><dd>${inline(description ?? '')}${Object.entries(content ?? {})
        .map(
          ([type, { schema }]) =>
            `<details><summary><code>${escape(type)}</code></summary>${json(schema)}</details>`,
        )
        .join('')}</dd>`,
  )
  return `<section id="${anchor}"><h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${escape(path)}</code></h3>
<p><b>${inline(about.summary ?? '')}</b>${about.security ? ' Needs a bearer token.' : ''}</p>${prose(about.description)}
${table}${body.length === 0 ? '' : `<h4>Body</h4>${body.join('')}`}<h4>Answers</h4><dl>${answers.join('')}</dl></section>`
}

function resolved(parameter: ApiParameter, document: ApiDocument): ApiParameter {
  const name = parameter.$ref?.split('/').at(-1)
  if (name === undefined) return parameter
  return (document.components?.['parameters']?.[name] as ApiParameter | undefined) ?? parameter
}

function shortType(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return ''
  return 'type' in schema ? String(schema.type) : 'value'
}

function json(value: unknown): string {
  const text = escape(JSON.stringify(value, undefined, 2) ?? '')
  return `<pre>${text.replaceAll(/#\/components\/schemas\/([\w-]+)/g, '<a href="#schema-$1">#/components/schemas/$1</a>')}</pre>`
}

function prose(text: string | undefined): string {
  return text === undefined
    ? ''
    : text
        .split(/\n{2,}/)
        .map((part) => `<p>${inline(part)}</p>`)
        .join('')
}

function inline(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
