import { metricNames } from '@millrace/service'
import { expect, test } from 'vitest'
import { metricTable } from './metric-table.ts'
import { filesWhere, read, type SourceFile } from './tree.ts'

const owner = 'packages/service/src/metric-names.ts'
/** Tests and dashboards name metrics as they are published; everybody else by their declaration. */
const free = /\.test\.ts$|^(test|grafana)\//

/** The rule: a metric's name is written down once. */
function nameFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path !== owner && !free.test(path))
    .flatMap(({ path, text }) =>
      Object.values(metricNames)
        .filter(({ name }) => new RegExp(`['"\`]${name}['"\`{]`).test(text))
        .map(({ name }) => `${path}: ${name} belongs to ${owner}`),
    )
}

test('each metric has one name, which stands in one file', () => {
  expect(nameFaults(filesWhere(/^(packages|apps)\/.*\.ts$/))).toEqual([])
  const names = Object.values(metricNames).map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

test('counters end in _total and nothing else does', () => {
  for (const { name, kind } of Object.values(metricNames))
    expect({ name, total: name.endsWith('_total') }).toEqual({ name, total: kind === 'counter' })
})

test('docs/metrics.md has the table of what is declared; npm run fix writes it', () => {
  const rows = read('docs/metrics.md')
    .split('\n')
    .filter((line) => line.startsWith('|'))
  expect(rows).toEqual(metricTable())
})

test('planted: a name that is spelled out elsewhere is found', () => {
  const plant = (path: string) => nameFaults([{ path, text: `count('${metricNames.commits.name}')` }])
  expect(plant('packages/processor/src/reader.ts')).toHaveLength(1)
  expect(plant('packages/processor/src/reader.test.ts')).toEqual([])
  expect(plant(owner)).toEqual([])
})
