import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { serviceRegistry } from '../../apps/all-in-one/src/services.ts'
import { prometheusIsThere, runPromtool } from '../grafana/prometheus-tools.ts'
import { read, root } from '../tidy/tree.ts'
import { composeFaults, type ComposeFile, portsOf, type Surroundings } from './compose-file.ts'

const text = read('docker-compose.yml')
const compose = parsed(text)

function parsed(yaml: string): ComposeFile {
  return parse(yaml, { merge: true }) as ComposeFile
}

const variablesOf = (page: string) =>
  [...read(page).matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name = '']) => name)

const around: Surroundings = {
  exists: (file) => existsSync(path.join(root, file)),
  dockerfile: read('Dockerfile'),
  documented: variablesOf('docs/compose.md'),
  settings: variablesOf('docs/settings.md'),
}

test('whatever the compose file names is there, looked after, and reachable from this machine alone', () => {
  expect(composeFaults(text, compose, around)).toEqual([])
})

test('every service runs once, the inbox apart, for which there is the mail catcher', () => {
  const started = Object.values(compose.services).flatMap(({ command = [] }) =>
    (command[command.indexOf('--only') + 1] ?? '').split(','),
  )
  const known = serviceRegistry.map(({ name }) => name)
  const once = started.filter((name) => known.includes(name) && name !== 'ops')
  expect(once.toSorted()).toEqual(known.filter((name) => name !== 'ops' && name !== 'inbox').toSorted())
})

test('change streams run twice, and stop before they are replaced: one reads a pipeline, the other stands by', () => {
  const { cdc } = compose.services
  expect(cdc).toMatchObject({ deploy: { replicas: 2 }, stop_grace_period: '30s' })
})

describe('what is seen with it', () => {
  const config = read('grafana/prometheus.yml')
  const { scrape_configs: jobs, rule_files: rules } = parse(config) as {
    readonly scrape_configs: readonly {
      readonly static_configs: readonly { readonly targets: readonly string[] }[]
    }[]
    readonly rule_files: readonly string[]
  }

  test('Prometheus asks every service of ours, at a port that it listens on', () => {
    const targets = jobs.flatMap((job) => job.static_configs.flatMap((one) => one.targets))
    const ours = Object.entries(compose.services).filter(([, { build }]) => build !== undefined)
    expect(targets.toSorted()).toEqual(ours.map(([name]) => `${name}:3002`).toSorted())
    expect(ours.filter(([name, service]) => !portsOf(name, service).includes(3002))).toEqual([])
  })

  test.skipIf(!prometheusIsThere)('Prometheus can read its configuration', async () => {
    const said = await runPromtool(
      'check',
      'config',
      '--syntax-only',
      path.join(root, 'grafana/prometheus.yml'),
    )
    expect(said).toContain('SUCCESS')
  })

  test('rules and dashboards are where Prometheus and Grafana look for them', () => {
    const mounts = (name: string) => compose.services[name]?.volumes ?? []
    expect(rules).toEqual(['/etc/prometheus/alerts/*.yml'])
    expect(mounts('prometheus')).toContain('./grafana/alerts:/etc/prometheus/alerts:ro')
    const { providers } = parse(read('grafana/provisioning/dashboards/millrace.yml')) as {
      readonly providers: readonly { readonly options: { readonly path: string } }[]
    }
    expect(mounts('grafana')).toContain(`./grafana/dashboards:${providers[0]?.options.path}:ro`)
    expect(mounts('grafana')).toContain('./grafana/provisioning:/etc/grafana/provisioning:ro')
  })

  test('Grafana asks services that are there', () => {
    const { datasources } = parse(read('grafana/provisioning/datasources/millrace.yml')) as {
      readonly datasources: readonly { readonly url: string }[]
    }
    for (const { url } of datasources) {
      const { hostname, port } = new URL(url)
      expect(portsOf(hostname, compose.services[hostname] ?? {})).toContain(Number(port))
    }
  })
})

test('planted: whatever is wrong with a compose file is found', () => {
  const plant = (from: string, to: string) => {
    expect([from, text.includes(from)]).toEqual([from, true])
    const changed = text.replace(from, to)
    return composeFaults(changed, parsed(changed), around)
  }
  expect(plant('${LOG_LEVEL:-', '${LOG_LEVLE:-')).toHaveLength(2)
  expect(plant('redis:7.2-bookworm', 'redis:latest')).toHaveLength(1)
  expect(plant('UNIQ_URL: http://uniq:3001', 'UNIQ_URL: http://uniq:3009')).not.toEqual([])
  expect(plant('@redis:6379', '@rediss:6379')).not.toEqual([])
  expect(
    plant('      uniq: { condition: service_healthy }', '      uniqq: { condition: service_healthy }'),
  ).toHaveLength(1)
  expect(plant("'127.0.0.1:9090:9090'", "'9090:9090'")).toHaveLength(1)
  expect(plant('./grafana/alerts:', './grafana/alarms:')).toHaveLength(1)
  expect(plant("'redis:/data'", "'radis:/data'")).toHaveLength(2)
  expect(plant('stop_grace_period', 'stop_grace')).not.toEqual([])
  expect(plant('  UNIQ_URL:', '  UNIQUE_URL:')).not.toEqual([])
  expect(
    plant('    healthcheck:\n      test: [CMD, pg_isready', '    healthy:\n      test: [CMD, pg_isready'),
  ).toHaveLength(6)
})
