import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Played } from './hunt.ts'

const root = path.join(import.meta.dirname, '../..')
/** A test that draws by itself, or that plays a contract, which may. */
const mayDraw = /\btestSeed\(\)|\bdescribe\w+Contract\(/

/** Files that may have random tests. */
export function randomTestFiles(): readonly string[] {
  return globSync('{packages,apps,test}/**/*.test.ts', { cwd: root, exclude: ['**/node_modules'] })
    .filter((file) => mayDraw.test(readFileSync(path.join(root, file), 'utf8')))
    .toSorted()
}

/** What of vitest's report matters here. */
interface Report {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

/** Plays those tests of a file whose names show their seed; whose playing is ended by the signal has told nothing. */
export async function playFile(file: string, seed: number, signal: AbortSignal): Promise<Played> {
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-hunt-'))
  const report = path.join(directory, 'report.json')
  try {
    const wanted = ['--testNamePattern', String.raw`\(seed \d`, '--maxWorkers', '1']
    const told = ['--reporter', 'json', '--outputFile', report]
    const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
    const child = spawn(process.execPath, [vitest, 'run', file, ...wanted, ...told], {
      cwd: root,
      env: { ...process.env, MILLRACE_SEED: String(seed) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const end = () => child.kill()
    signal.addEventListener('abort', end, { once: true })
    const [code] = (await once(child, 'exit')) as [number | null]
    signal.removeEventListener('abort', end)
    if (signal.aborted) return { file, seed, tests: 0, red: [] }
    if (!existsSync(report))
      return { file, seed, tests: 0, red: [`vitest ended with ${code} and told nothing`] }
    return { file, seed, ...verdict(JSON.parse(readFileSync(report, 'utf8')) as Report, code) }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function verdict(report: Report, code: number | null): { tests: number; red: string[] } {
  const red = report.testResults.flatMap(({ message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed')
    const texts = failed.map(({ fullName, failureMessages = [] }) =>
      [fullName, ...failureMessages].join('\n'),
    )
    return message === '' ? texts : [...texts, message]
  })
  if (code !== 0 && red.length === 0) red.push(`vitest ended with ${code}`)
  return { tests: report.numPassedTests + red.length, red }
}
