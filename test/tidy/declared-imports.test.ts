import { expect, test } from 'vitest'
import { importedModules } from './imports.ts'
import { workspaceOfModule } from './ranks.ts'
import { filesWhere, productCode, read, type SourceFile } from './tree.ts'

/**
 * The rule: what a package imports from another one of ours it declares, and the other way round. knip does this for
 * third parties, but its strict mode looks past imports of types, which the published declarations need.
 */
function declarationFaults(manifest: SourceFile, sources: readonly SourceFile[]): string[] {
  const { dependencies = {} } = JSON.parse(manifest.text) as { dependencies?: Record<string, string> }
  const declared = Object.keys(dependencies).filter((name) => workspaceOfModule(name) !== undefined)
  const imported = new Set(
    sources.flatMap(({ text }) => importedModules(text)).flatMap((module) => nameOf(module)),
  )
  return [
    ...[...imported]
      .filter((name) => !declared.includes(name))
      .map((name) => `${manifest.path}: ${name} is imported, not declared`),
    ...declared
      .filter((name) => !imported.has(name))
      .map((name) => `${manifest.path}: ${name} is declared, not imported`),
  ]
}

function nameOf(module: string): string[] {
  return workspaceOfModule(module) === undefined ? [] : [module.split('/').slice(0, 2).join('/')]
}

test('packages declare what they import from each other, and nothing else', () => {
  const sources = filesWhere(productCode)
  const faults = filesWhere(/^(packages|apps)\/[^/]+\/package\.json$/).flatMap((manifest) => {
    const home = manifest.path.replace('package.json', '')
    return declarationFaults(
      manifest,
      sources.filter(({ path }) => path.startsWith(home)),
    )
  })
  expect(faults).toEqual([])
})

test('planted: an import without its declaration and a declaration without import are found', () => {
  const manifest = {
    path: 'packages/a/package.json',
    text: '{"dependencies":{"@millrace/log":"0.1.0","zod":"4.0.0"}}',
  }
  const plant = (text: string) => declarationFaults(manifest, [{ path: 'packages/a/src/a.ts', text }])
  expect(plant(`import type { Log } from '@millrace/log/contract'`)).toEqual([])
  expect(plant(`import { a } from '@millrace/log'\nimport { b } from '@millrace/event'`)).toHaveLength(1)
  expect(plant('')).toHaveLength(1)
})

test('our own packages are pinned to the version that they have', () => {
  const versions = filesWhere(/^(packages|apps)\/[^/]+\/package\.json$/).flatMap(({ path, text }) => {
    const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> }
    return Object.entries(dependencies).flatMap(([name, version]) => {
      const workspace = workspaceOfModule(name)
      if (workspace === undefined) return []
      const actual = JSON.parse(read(`${workspace}/package.json`)) as { version: string }
      return version === actual.version ? [] : [`${path}: ${name} ${version}, which is ${actual.version}`]
    })
  })
  expect(versions).toEqual([])
})
