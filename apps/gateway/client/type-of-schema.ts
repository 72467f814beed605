/** The part of JSON Schema that the document uses. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

/** A list of words longer than this grows with every release: a client must live with words that it does not know. */
const mostWords = 12

/** A schema as a TypeScript type. Throws where it meets what it does not know: better no client than a wrong one. */
export function typeOfSchema(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown'
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum && schema.enum.length <= mostWords)
    return schema.enum.map((word) => JSON.stringify(word)).join(' | ')
  const some = schema.anyOf ?? schema.oneOf
  if (some) return some.map(typeOfSchema).join(' | ')
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return arrayOf(typeOfSchema(schema.items ?? {}))
    case 'object':
      return `{ ${membersOf(schema).join(' ')} }`
    case undefined:
      return 'unknown'
    default:
      throw new TypeError(`There is no type for ${JSON.stringify(schema)}`)
  }
}

function arrayOf(type: string): string {
  return type.includes(' | ') && !type.startsWith('{') ? `readonly (${type})[]` : `readonly ${type}[]`
}

/** The members of an object's type, with what is said of them. */
export function membersOf({ properties = {}, required = [] }: JsonSchema): string[] {
  return Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? '' : '?'
    return `${comment(schema.description)}readonly ${name}${optional}: ${typeOfSchema(schema)};`
  })
}

/** A docstring on lines of its own. */
export function comment(text: string | undefined): string {
  return text === undefined ? '' : `\n/** ${text.replaceAll('*/', '* /')} */\n`
}
