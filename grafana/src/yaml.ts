/** What can be written as YAML. */
export type YamlValue = Scalar | readonly YamlValue[] | YamlMap
type Scalar = string | number | boolean | null
export interface YamlMap {
  readonly [key: string]: YamlValue
}

/** Writes a value as YAML, in blocks; texts of several lines as they are. Enough for what is generated here. */
export function yaml(value: YamlMap, header: string): string {
  const comment = header.split('\n').map((line) => `# ${line}`.trimEnd())
  return `${[...comment, ...linesOf(value)].join('\n')}\n`
}

function linesOf(value: YamlMap | readonly YamlValue[]): string[] {
  return isList(value) ? value.flatMap(item) : Object.entries(value).flatMap(([key, one]) => entry(key, one))
}

function entry(key: string, value: YamlValue): string[] {
  if (typeof value === 'string' && value.includes('\n'))
    return [`${key}: |-`, ...value.split('\n').map(indented)]
  if (isScalar(value)) return [`${key}: ${scalar(value)}`]
  const inner = linesOf(value)
  return inner.length === 0 ? [`${key}: ${isList(value) ? '[]' : '{}'}`] : [`${key}:`, ...inner.map(indented)]
}

function item(value: YamlValue): string[] {
  if (isScalar(value)) return [`- ${scalar(value)}`]
  const [first = '{}', ...rest] = linesOf(value)
  return [`- ${first}`, ...rest.map(indented)]
}

const indented = (line: string) => (line === '' ? '' : `  ${line}`)
const isScalar = (value: YamlValue): value is Scalar => typeof value !== 'object' || value === null
const isList = (value: YamlValue): value is readonly YamlValue[] => Array.isArray(value)

/** Words that need no quotes, whatever reads them; anything else as JSON, which is YAML. */
function scalar(value: Scalar): string {
  const isPlain = typeof value === 'string' && /^[A-Za-z/.][\w./-]*$/.test(value) && !reserved.test(value)
  return isPlain ? value : JSON.stringify(value)
}

const reserved = /^(true|false|yes|no|on|off|null|y|n|\.|\.inf|\.nan)$/i
