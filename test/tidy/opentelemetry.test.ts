import { expect, test } from 'vitest'
import { importedModules } from './imports.ts'
import { filesWhere, productCode, type SourceFile } from './tree.ts'

/** The rule: OpenTelemetry is one package's. The core tells on diagnostics channels, and knows of nobody who hears. */
function importFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !path.startsWith('packages/telemetry/'))
    .flatMap(({ path, text }) =>
      importedModules(text)
        .filter((module) => module.startsWith('@opentelemetry/'))
        .map((module) => `${path} imports ${module}`),
    )
}

test('only the package of traces imports OpenTelemetry', () => {
  expect(importFaults(filesWhere(productCode))).toEqual([])
})

test('an import elsewhere is found', () => {
  const plant = {
    path: 'packages/processor/src/engine/run.ts',
    text: "import { trace } from '@opentelemetry/api'\nconst sdk = await import('@opentelemetry/sdk-trace')\n",
  }
  expect(importFaults([plant])).toHaveLength(2)
})
