import { expect, test } from 'vitest'
import { allPaths } from './tree.ts'

const forbidden = new Set([
  'utils',
  'util',
  'common',
  'helpers',
  'helper',
  'lib',
  'types',
  'misc',
  'shared',
  'stuff',
])
const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/
const capital = new Set(['README.md', 'ARCHITECTURE.md', 'LICENSE', 'Dockerfile'])
const topLevel = new Set([
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'vitest.config.ts',
  'knip.jsonc',
  'docker-compose.yml',
  'apps',
  'packages',
  'grafana',
  'test',
  'bench',
  'docs',
  'examples',
])

/** The rule: names are kebab-case, say what a file holds, and the top level stays as it is drawn. */
function nameFaults(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const parts = path.split('/')
    const top = parts[0] ?? ''
    if (!topLevel.has(top) && !capital.has(top) && !top.startsWith('.'))
      return [`${path}: not a place of the top level`]
    if (top.startsWith('.')) return []
    return parts.flatMap((part) => {
      const stem = part.split('.')[0] ?? ''
      if (forbidden.has(stem)) return [`${path}: "${stem}" says nothing`]
      return kebab.test(part) || capital.has(part) || part.startsWith('.') ? [] : [`${path}: not kebab-case`]
    })
  })
}

test('files are named for their one concept, in kebab-case', () => {
  expect(nameFaults(allPaths())).toEqual([])
})

test('planted: a bad name, an empty word and a stray top-level file are found', () => {
  expect(nameFaults(['packages/log/src/eventLog.ts'])).toHaveLength(1)
  expect(nameFaults(['packages/log/src/utils.ts'])).toHaveLength(1)
  expect(nameFaults(['packages/common/src/event.ts'])).toHaveLength(1)
  expect(nameFaults(['notes.md'])).toHaveLength(1)
  expect(nameFaults(['packages/log/src/event-log.test.ts', 'README.md', '.ci/run'])).toEqual([])
})
