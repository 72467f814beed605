import type { Row } from './change.ts'

/** How the key of an event is made of a row. */
export interface KeyTemplate {
  readonly columns: readonly string[]
  /** Whether the row has all that the key needs. */
  isIn(row: Row): boolean
  /** @throws TypeError when the row lacks a column of it, or has null there */
  of(row: Row): string
}

/** Reads a column's name, or a text with columns in braces, such as `order-{id}`. */
export function keyTemplate(text: string): KeyTemplate {
  const template = text.includes('{') ? text : `{${text}}`
  const columns = [...template.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => name)
  if (columns.length === 0) throw new TypeError(`The key "${text}" names no column`)
  const has = (row: Row, name: string) => row[name] !== undefined && row[name] !== null
  return {
    columns,
    isIn: (row) => columns.every((name) => has(row, name)),
    of: (row) =>
      template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
        if (!has(row, name)) throw new TypeError(`Column ${name} of the key is null or not there`)
        const value = row[name]
        return typeof value === 'string' ? value : JSON.stringify(value)
      }),
  }
}
