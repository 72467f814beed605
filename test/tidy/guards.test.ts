import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

/** Scripts whose guards are not proven one by one yet. The list only shrinks. */
const unproven: readonly string[] = []

/** The rule: a script that marks guards has a test that takes each of them out. */
function guardFaults(
  scripts: readonly SourceFile[],
  tests: readonly SourceFile[],
  exempt: readonly string[],
): string[] {
  const marked = scripts
    .filter((file) => /-- guard: /.test(file.text))
    .map((file) => file.path.split('/').at(-1) ?? '')
  const proven = new Set(
    tests.flatMap((file) =>
      [...file.text.matchAll(/\bdescribeGuards\(\s*'([^']+)'/g)].map((match) => match[1] ?? ''),
    ),
  )
  const includedBy = (name: string) =>
    scripts
      .filter((file) => file.text.includes(`-- @include ${name}`))
      .map((file) => file.path.split('/').at(-1) ?? '')
  const isProven = (name: string): boolean => proven.has(name) || includedBy(name).some(isProven)
  return [
    ...marked
      .filter((name) => !isProven(name) && !exempt.includes(name))
      .map((name) => `${name}: marks guards, and no test takes them out (describeGuards)`),
    ...exempt
      .filter((name) => proven.has(name))
      .map((name) => `${name}: is proven now; take it off the list`),
  ]
}

const tests = () => filesWhere(/^(packages|test)\/(?!tidy\/).*\.test\.ts$/)

test('every guard of a script is taken out by a test', () => {
  expect(guardFaults(filesWhere(/\.lua$/), tests(), unproven)).toEqual([])
})

test('planted: a script whose guards no test takes out, and a stale exemption are found', () => {
  const script = (path: string, text: string) => ({ path, text })
  const guarded = script('a/x.lua', 'if a then return end -- guard: a')
  const whole = script('a/whole.lua', '-- @include x.lua')
  const proof = (name: string) => [script('a/x.test.ts', `describeGuards('${name}', source, open, {})`)]
  expect(guardFaults([guarded], [], [])).toHaveLength(1)
  expect(guardFaults([guarded], proof('x.lua'), [])).toEqual([])
  expect(guardFaults([guarded, whole], proof('whole.lua'), [])).toEqual([])
  expect(guardFaults([guarded], [], ['x.lua'])).toEqual([])
  expect(guardFaults([guarded], proof('x.lua'), ['x.lua'])).toHaveLength(1)
  expect(guardFaults([script('a/y.lua', 'return 1')], [], [])).toEqual([])
})
