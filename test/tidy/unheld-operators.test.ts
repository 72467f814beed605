import { unheldOperators } from '@millrace/processor'
import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

/** The rule: who writes pipelines takes the operators that keep values from the processor, not from rxjs. */
function importFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ text }) => /from '@millrace\/processor'/.test(text))
    .flatMap(({ path, text }) => {
      const lists = text.matchAll(/import\s*\{([^}]*)\}\s*from 'rxjs(?:\/operators)?'/g)
      const names = [...lists].flatMap(([, list = '']) =>
        list.split(',').map((one) => one.trim().split(' ')[0] ?? ''),
      )
      return names
        .filter((name) => Object.hasOwn(unheldOperators, name))
        .map((name) => `${path}: ${name} of rxjs; use ${unheldOperators[name]}`)
    })
}

test('pipelines use held operators', () => {
  expect(importFaults(filesWhere(/^(apps|packages|examples|test|bench)\/.*\.ts$/))).toEqual([])
})

test('planted: an operator of rxjs that keeps values is found, under another name too', () => {
  const plant = (names: string, from = '@millrace/processor') =>
    importFaults([
      { path: 'a.ts', text: `import { ${names} } from 'rxjs'\nimport { emit } from '${from}'\n` },
    ])
  expect(plant('map, bufferCount')).toHaveLength(1)
  expect(plant('delay as later')).toHaveLength(1)
  expect(plant('map, filter')).toEqual([])
  expect(plant('delay', '@millrace/log')).toEqual([])
})
