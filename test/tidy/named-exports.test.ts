import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

/** The rule: every export is named by hand, so that the list in `index.ts` is the public interface. */
function starExports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    /^\s*export\s+(type\s+)?\*/m.test(file.text) ? [`${file.path}: export *`] : [],
  )
}

test('there is no export *', () => {
  expect(
    starExports(filesWhere(/^(packages|apps|test|bench|examples)\/(?!tidy\/named-).*\.(ts|mjs)$/)),
  ).toEqual([])
})

test('planted: export * is found', () => {
  const plant = (text: string) => starExports([{ path: 'a.ts', text }])
  expect(plant(`export * from './a.ts'`)).toHaveLength(1)
  expect(plant(`export type * as a from './a.ts'`)).toHaveLength(1)
  expect(plant(`export { a } from './a.ts'`)).toEqual([])
})
