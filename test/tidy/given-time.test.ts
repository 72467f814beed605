import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

/** What tells or waits for the machine's time, or asks for its chance. */
const machine = [
  /\bDate\.now\b|\bnew Date\(\)/,
  /\bperformance\.now\b/,
  /\b(setTimeout|setInterval|setImmediate)\b/,
  /\bnode:timers\b/,
  /\bMath\.random\b/,
  /\bAbortSignal\.timeout\b/,
  /\bhrtime\b/,
] as const

/** Code whose time and chance are handed to it, so that a test or the simulation can turn them. */
const given = /^packages\/(processor\/src\/.*|log\/src\/memory-[^/]*)\.ts$/
/** Suites and stages run in real time as well. */
const staged = /\.test\.ts$|\/(contract|testing|simulation)\//

/** The rule: processors and the log in memory know no time and no chance but those that they are given. */
function timeFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => given.test(path) && !staged.test(path))
    .flatMap(({ path, text }) =>
      text
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '))
        .split('\n')
        .flatMap((line, index) =>
          machine
            .filter((pattern) => pattern.test(line))
            .map((pattern) => `${path}:${index + 1}: ${pattern.exec(line)?.[0]}`),
        ),
    )
}

test('processors and the log in memory take time and chance from outside', () => {
  const files = filesWhere(given)
  expect(files.length).toBeGreaterThan(100)
  expect(timeFaults(files)).toEqual([])
})

test('planted: the machine asked for its time or its chance is found', () => {
  const plant = (text: string, path = 'packages/processor/src/reader.ts') => timeFaults([{ path, text }])
  expect(plant('const at = Date.now()')).toHaveLength(1)
  expect(plant('const at = performance.now()')).toHaveLength(1)
  expect(plant('setTimeout(act, 5)')).toHaveLength(1)
  expect(plant("import { setInterval } from 'node:timers/promises'")).toHaveLength(2)
  expect(plant('const chance = options.random ?? Math.random')).toHaveLength(1)
  expect(plant('fetch(url, { signal: AbortSignal.timeout(5) })')).toHaveLength(1)
  expect(plant('Date.now()', 'packages/log/src/memory-log.ts')).toHaveLength(1)
  expect(plant('// as Date.now() tells it\ntimers.set(5, act)')).toEqual([])
  expect(plant('Date.now()', 'packages/processor/src/contract/losing.ts')).toEqual([])
  expect(plant('Date.now()', 'packages/redis/src/script.ts')).toEqual([])
})
