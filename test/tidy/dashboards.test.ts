import { expect, test } from 'vitest'
import { panelsOf } from '../../grafana/src/built-dashboard.ts'
import { dashboards } from '../../grafana/src/dashboards.ts'
import { alertExpressions, dashboardExpressions, type Expression } from '../../grafana/src/expressions.ts'
import { generatedFiles } from '../../grafana/src/generated-files.ts'
import type { MetricName } from '../../packages/service/src/metric-name.ts'
import { metricNames } from '../../packages/service/src/metric-names.ts'
import { filesWhere } from './tree.ts'

const generated = /^grafana\/(dashboards|alerts)\//

/** The rule: what is generated stands there as the code makes it, and nothing else does. */
function generatedFaults(wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  return [
    ...[...wanted]
      .filter(([path, text]) => found.get(path) !== text)
      .map(([path]) => `${path}: not as generated; run node grafana/write.ts`),
    ...[...found.keys()].filter((path) => !wanted.has(path)).map((path) => `${path}: nothing generates it`),
  ]
}

/** Metrics of the process, which prom-client names. */
const ofProcess = /^millrace_(process|nodejs)_/

/** Declared metrics that no dashboard shows, each with its reason. */
const notShown: Readonly<Record<string, string>> = {}

/** The rule: what a dashboard or an alert asks for is declared, and what is declared is shown or listed. */
function metricFaults(
  metrics: readonly MetricName[],
  expressions: readonly Expression[],
  unshown: Readonly<Record<string, string>>,
): string[] {
  const published = new Map<string, string>(
    metrics.flatMap((one) => publishedNames(one).map((name) => [name, one.name])),
  )
  const asked = expressions.flatMap(({ where, expr }) =>
    [...expr.matchAll(/\bmillrace_[a-z0-9_]+/g)].map(([name]) => ({ where, name })),
  )
  const shown = new Set(asked.map(({ name }) => published.get(name)))
  return [
    ...asked
      .filter(({ name }) => !published.has(name) && !ofProcess.test(name))
      .map(({ where, name }) => `${where}: ${name} is not declared`),
    ...metrics
      .filter(({ name }) => !shown.has(name) && !(name in unshown))
      .map(({ name }) => `${name}: on no dashboard`),
    ...Object.keys(unshown)
      .filter((name) => shown.has(name) || !metrics.some((one) => one.name === name))
      .map((name) => `${name}: listed as not shown, and is shown or gone`),
  ]
}

function publishedNames({ kind, name }: MetricName): string[] {
  return kind === 'histogram' ? ['bucket', 'sum', 'count'].map((end) => `${name}_${end}`) : [name]
}

test('dashboards and alerts are as the code generates them', () => {
  const found = filesWhere(generated).map(({ path, text }) => [path, text] as const)
  expect(generatedFaults(generatedFiles(), new Map(found))).toEqual([])
})

test('dashboards and alerts ask for declared metrics, and every declared metric is on one', () => {
  expect(
    metricFaults(Object.values(metricNames), [...dashboardExpressions(), ...alertExpressions()], notShown),
  ).toEqual([])
})

test('every link between dashboards leads to one of them', () => {
  const known = dashboards.map(({ uid }) => `/d/${uid}?`)
  const links = dashboards.flatMap((one) => panelsOf(one).flatMap(({ links = [] }) => links))
  const between = links.flatMap(({ url = '' }) => (url.startsWith('/d/') ? [url] : []))
  expect(between.length).toBeGreaterThan(0)
  expect(between.filter((url) => !known.some((start) => url.startsWith(start)))).toEqual([])
})

test('panels stand beside each other, none on another, and each says what it is about', () => {
  for (const one of dashboards) {
    const panels = panelsOf(one)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`),
    )
    expect([one.title, new Set(cells).size]).toEqual([one.title, cells.length])
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
    expect(panels.filter(({ type, description }) => type !== 'row' && !description)).toEqual([])
  }
})

test('planted: an edited file, a stray file, an unknown metric, one that is not shown and a stale exception are found', () => {
  const wanted = new Map([['a.json', '1']])
  expect(generatedFaults(wanted, new Map([['a.json', '2']]))).toHaveLength(1)
  expect(generatedFaults(wanted, new Map([...wanted, ['b.json', '1']]))).toHaveLength(1)
  const metric: MetricName = { kind: 'histogram', name: 'millrace_a', help: '', labels: [] }
  const plant = (expr: string, unshown = {}) =>
    metricFaults([metric], [{ where: 'x', expr, legend: '' }], unshown)
  expect(plant('rate(millrace_a_bucket[5m])')).toEqual([])
  expect(plant('millrace_a_sum + millrace_b')).toHaveLength(1)
  expect(plant('up')).toHaveLength(1)
  expect(plant('up', { millrace_a: 'of no use' })).toEqual([])
  expect(plant('millrace_a_count', { millrace_a: 'of no use' })).toHaveLength(1)
})
