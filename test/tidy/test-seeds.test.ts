import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

/** What is there for tests alone. */
const forTests = /^test\/|\.test\.ts$|\/(contract|testing)\//
/** Where the seed of the tests comes from, commands that take one of their own, and these rules. */
const others =
  /^packages\/log\/src\/contract\/random\.ts$|^test\/(faults|simulation)\/main\.ts$|^test\/(hunt|soak|tidy)\//

/** A seed of the clock or of the machine's chance; a name that is only to be different from others is none. */
const machine = /\bDate\.now\(\) %|\bMath\.random\(\)(?!\.toString\(36\))|\brandomInt\(/
const environment = /\benv\b.*SEED\b/

/** The rule: whatever a test draws follows from `testSeed`, so that the same tests come to the same. */
function seedFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => forTests.test(path) && !others.test(path))
    .flatMap(({ path, text }) => [
      ...(machine.test(text) || environment.test(text)
        ? [`${path}: a seed that is not that of testSeed`]
        : []),
      ...(count(text, /\bfc\.assert\(/g) > count(text, /\{ seed\b/g)
        ? [`${path}: fc.assert without a seed`]
        : []),
      ...(/\btestSeed\(\)/.test(text) && !/\(seed \$\{/.test(text)
        ? [`${path}: no name of a test shows the seed`]
        : []),
    ])
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}

test('the seeds of random tests are fixed unless MILLRACE_SEED asks for others, and stand in their names', () => {
  expect(seedFaults(filesWhere(/^(packages|apps|test)\/.*\.ts$/))).toEqual([])
})

test('planted: seeds of the clock, of chance, of the environment, of fast-check and unseen ones are found', () => {
  const plant = (text: string, path = 'packages/a/src/a.test.ts') => seedFaults([{ path, text }])
  expect(plant('const seed = Date.now() % 1_000')).toHaveLength(1)
  expect(plant('const seed = Math.floor(Math.random() * 1_000)')).toHaveLength(1)
  expect(plant(`const seed = Number(process.env['SEED'])`)).toHaveLength(1)
  expect(plant('fc.assert(property, { numRuns: 300 })')).toHaveLength(1)
  expect(plant('const seed = testSeed()')).toHaveLength(1)
  expect(plant('Date.now() % 7', 'packages/a/src/contract/a.ts')).toHaveLength(1)
  expect(plant('Date.now() % 7', 'packages/a/src/a.ts')).toEqual([])
  expect(plant('const name = `t${Math.random().toString(36)}`')).toEqual([])
  expect(plant('const seed = testSeed()\ntest(`it (seed ${seed})`, () => fc.assert(p, { seed }))')).toEqual(
    [],
  )
})
