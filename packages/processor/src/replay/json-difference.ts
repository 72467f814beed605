/** One place where two JSON values differ. */
export interface JsonDifference {
  /** Such as `items[2].price`; empty: the whole value. */
  readonly path: string
  /** Undefined: there is nothing on that side. */
  readonly before: unknown
  readonly after: unknown
}

/** Where two JSON values differ, in the order of the first one; at most so many places. */
export function jsonDifferences(before: unknown, after: unknown, most: number): readonly JsonDifference[] {
  const found: JsonDifference[] = []
  compare('', before, after, found, most)
  return found
}

function compare(path: string, before: unknown, after: unknown, found: JsonDifference[], most: number): void {
  if (found.length >= most || Object.is(before, after)) return
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    for (let at = 0; at < length; at++) compare(`${path}[${at}]`, before[at], after[at], found, most)
  } else if (isRecord(before) && isRecord(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare(path === '' ? name : `${path}.${name}`, before[name], after[name], found, most)
  } else found.push({ path, before, after })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
