import { catalogue, type ErrorEntry } from '@millrace/event'
import { expect, test } from 'vitest'
import { errorRow } from './error-table.ts'
import { read } from './tree.ts'

type Catalogue = Readonly<Record<string, ErrorEntry>>

/** The rule: docs/errors.md has exactly the rows of the catalogue, in its order. */
function expectedRows(entries: Catalogue): string[] {
  return Object.entries(entries).map(([code, entry]) => errorRow(code, entry))
}

function rowsIn(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.replace(/ +/g, ' ').trim())
}

test('docs/errors.md lists the catalogue', () => {
  expect(rowsIn(read('docs/errors.md'))).toEqual(expectedRows(catalogue))
})

test('every code is one word or noun.adjective, with an HTTP status of an error', () => {
  const faults = Object.entries(catalogue).filter(
    ([code, entry]) =>
      !/^[a-z]+(\.[a-z]+(-[a-z]+)*)?$/.test(code) || entry.status < 400 || entry.status > 599,
  )
  expect(faults).toEqual([])
})

test('planted: a missing, a changed and a superfluous row are found', () => {
  const entry: ErrorEntry = { status: 400, retryable: false, title: 'A title', hint: 'A hint.' }
  const text = '| code | status |\n| `a.b` | 400 | no | A title | A hint. |\n'
  expect(rowsIn(text)).toEqual(expectedRows({ 'a.b': entry }))
  expect(rowsIn(text)).not.toEqual(expectedRows({ 'a.b': entry, 'c.d': entry }))
  expect(rowsIn(text)).not.toEqual(expectedRows({ 'a.b': { ...entry, status: 409 } }))
  expect(rowsIn(text)).not.toEqual(expectedRows({}))
})
