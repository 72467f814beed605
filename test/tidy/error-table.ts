import type { ErrorEntry } from '@millrace/event'

/** Head of the table in docs/errors.md. */
export const errorTableHead: readonly string[] = [
  '| code | status | repeat | title | what to do |',
  '| --- | --- | --- | --- | --- |',
]

/** The row of docs/errors.md that an entry of the catalogue asks for. */
export function errorRow(code: string, entry: ErrorEntry): string {
  return `| \`${code}\` | ${entry.status} | ${entry.retryable ? 'yes' : 'no'} | ${entry.title} | ${entry.hint} |`
}
