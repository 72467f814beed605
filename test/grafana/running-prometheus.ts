import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { projectRoot } from '../../apps/all-in-one/src/pinned-node.ts'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'
import { KeptServer } from '../../apps/all-in-one/src/servers/kept-server.ts'
import { prometheus } from './prometheus-tools.ts'

/** A series of an answer, with its values as numbers. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly number[]
}

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly result: readonly RawSeries[] }
}

interface RawSeries {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: readonly [number, string]
  readonly values?: readonly (readonly [number, string])[]
}

/** Options of {@link RunningPrometheus.start}. */
export interface RunningPrometheusOptions {
  /** More processes that it scrapes. */
  readonly also?: readonly URL[]
  /** What becomes of the alert rules of the repository. Default: they are as they are. */
  readonly rules?: (text: string) => string
}

const scrapeMs = 1_000
const attempts = 5
const patienceMs = 120_000

/** A real Prometheus with the alert rules of the repository, on a port and a directory of its own. */
export class RunningPrometheus {
  readonly #server: KeptServer
  readonly #url: string

  private constructor(server: KeptServer, url: string) {
    this.#server = server
    this.#url = url
  }

  /** Starts one that scrapes a process. Resolves when it has scraped everything. */
  static async start(target: URL, options: RunningPrometheusOptions = {}): Promise<RunningPrometheus> {
    const { also = [], rules = (text) => text } = options
    const targets = [target, ...also]
    for (let attempt = 1; ; attempt += 1) {
      try {
        const running = await RunningPrometheus.#launch(targets, rules)
        await running.has(`count(up == 1) == ${targets.length}`)
        return running
      } catch (error) {
        // Somebody else may have taken the port between asking and listening.
        if (attempt < attempts && error instanceof Error && error.message.includes('in use')) continue
        throw error
      }
    }
  }

  static async #launch(targets: readonly URL[], rules: (text: string) => string): Promise<RunningPrometheus> {
    const directory = mkdtempSync(path.join(tmpdir(), 'millrace-prometheus-'))
    const port = await freePort()
    const config = path.join(directory, 'prometheus.yml')
    const data = path.join(directory, 'data')
    mkdirSync(data)
    const alerts = readFileSync(path.join(projectRoot, 'grafana/alerts/millrace.yml'), 'utf8')
    writeFileSync(path.join(directory, 'millrace.yml'), rules(alerts))
    writeFileSync(config, configuration(targets))
    const server = new KeptServer({
      name: 'Prometheus',
      command: prometheus ?? 'prometheus',
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
      ],
      env: {},
      cwd: directory,
      readyText: 'server is ready to receive web requests',
      readyTimeoutMs: 120_000,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 20_000,
      home: { directory: data, processNames: ['prometheus'] },
      restart: false,
      removeAtEnd: [directory],
    })
    await server.start()
    return new RunningPrometheus(server, `http://127.0.0.1:${port}`)
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }

  /** An expression at this moment. */
  async now(query: string): Promise<readonly Series[]> {
    return this.#query('query', { query })
  }

  /** An expression over the minute before a moment, in ms since the epoch, as a panel with curves asks it. */
  async minuteBefore(endMs: number, query: string): Promise<readonly Series[]> {
    const end = endMs / 1_000
    return this.#query('query_range', { query, start: String(end - 60), end: String(end), step: '1' })
  }

  /** Resolves when an expression has a series. */
  async has(query: string): Promise<void> {
    for (
      const deadline = Date.now() + patienceMs;
      (await this.now(query)).length === 0;
      await delay(scrapeMs / 4)
    )
      if (Date.now() > deadline) throw new Error(`Not in ${patienceMs} ms: ${query}`)
  }

  /** Resolves when everything has been scraped twice after this call. */
  async hasScraped(): Promise<void> {
    const twice = (Date.now() + 2 * scrapeMs) / 1_000
    await this.has(`count((timestamp(up) > ${twice}) and (up == 1)) == count(up)`)
  }

  async #query(kind: string, parameters: Readonly<Record<string, string>>): Promise<readonly Series[]> {
    const answer = await fetch(`${this.#url}/api/v1/${kind}?${String(new URLSearchParams(parameters))}`)
    const { status, error = '', data } = (await answer.json()) as Answer
    if (status !== 'success') throw new Error(`${parameters['query']}: ${error}`)
    return (data?.result ?? []).map(({ metric, value, values }) => ({
      metric,
      values: (values ?? (value === undefined ? [] : [value])).map(([, text]) => Number(text)),
    }))
  }
}

function configuration(targets: readonly URL[]): string {
  const hosts = targets.map(({ host }) => `'${host}'`).join(', ')
  const second = `${scrapeMs}ms`
  return [
    `global: { scrape_interval: ${second}, scrape_timeout: ${second}, evaluation_interval: ${second} }`,
    'rule_files: [millrace.yml]',
    'scrape_configs:',
    `  - { job_name: millrace, static_configs: [{ targets: [${hosts}] }] }`,
    '',
  ].join('\n')
}
