import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')
const read = (name: string) => readFileSync(path.join(root, name), 'utf8')

/** Names that the package gives out of its operators. */
function operatorsOf(index: string): string[] {
  const lines = index.matchAll(/^export \{([^}]*)\} from '\.\/operators\/(?!unheld-operators)/gm)
  return [...lines].flatMap(([, list = '']) =>
    list
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type ')),
  )
}

/** Names in the first column of the document's tables. */
function rowsOf(document: string): string[] {
  return [...document.matchAll(/^\| `(\w+)` \|/gm)].flatMap(([, name]) => name ?? [])
}

test('docs/pipelines.md has a row for every operator, and none for one that is not there', () => {
  const operators = operatorsOf(read('packages/processor/src/index.ts'))
  expect(operators.length).toBeGreaterThan(19)
  const ours = read('docs/pipelines.md').split('### Of RxJS')[0] ?? ''
  expect(rowsOf(ours).toSorted()).toEqual(operators.toSorted())
})

test('docs/pipelines.md explains every error of pipelines', () => {
  const named = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].flatMap(([, code]) => code ?? [])
  const codes = named(read('packages/event/src/catalogue.ts'), /^ {2}'(pipeline\.[a-z]+)'/gm)
  const explained = named(read('docs/pipelines.md'), /^\| `(pipeline\.[a-z]+)` \|/gm)
  expect(new Set(explained)).toEqual(new Set(codes))
})
