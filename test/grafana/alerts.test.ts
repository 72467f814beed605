import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { alerts } from '../../grafana/src/alerts.ts'
import { prometheusIsThere, runPromtool } from './prometheus-tools.ts'

const root = path.join(import.meta.dirname, '../..')
const cases = ['alerts.test.yml', 'stock-alerts.test.yml'].map((file) => path.join(import.meta.dirname, file))
const names = [...new Set(alerts.map(({ name }) => name))]

describe.skipIf(!prometheusIsThere)('alerts, judged by promtool', () => {
  test('the rules are in order', async () => {
    const said = await runPromtool('check', 'rules', path.join(root, 'grafana/alerts/millrace.yml'))
    expect(said).toContain(`SUCCESS: ${alerts.length} rules found`)
  })

  test('each fires, does not fire, and is resolved', { timeout: 600_000 }, async () => {
    const said = await runPromtool('test', 'rules', ...cases)
    expect(said.match(/SUCCESS/g)).toHaveLength(cases.length)
  })
})

test('each alert is tried: silent before, firing, silent again', () => {
  const text = cases.map((file) => readFileSync(file, 'utf8')).join('\n')
  for (const name of names) {
    const outcomes = [...text.matchAll(new RegExp(`alertname: ${name}\\b,?\\s*exp_alerts:( \\[\\])?`, 'g'))]
    const silent = outcomes.filter(([, none]) => none !== undefined).length
    expect([name, silent > 0, outcomes.length > silent]).toEqual([name, true, true])
  }
})

test('each alert has its runbook, each runbook its alert', () => {
  const pages = readdirSync(path.join(root, 'docs/runbooks')).toSorted()
  expect(pages).toEqual([...new Set(alerts.map(({ runbook }) => `${runbook}.md`))].toSorted())
  for (const { name, runbook } of alerts) {
    const page = readFileSync(path.join(root, `docs/runbooks/${runbook}.md`), 'utf8')
    expect(page).toContain(`# Runbook: ${name}\n`)
    for (const part of ['**Means.**', '**Look.**', '**Over**'])
      expect([runbook, page]).toEqual([runbook, expect.stringContaining(part)])
  }
})
