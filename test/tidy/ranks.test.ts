import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { importedModules } from './imports.ts'
import { houseRanks, type Ranks, workspaceOfModule } from './ranks.ts'
import { filesWhere, productCode, read, type SourceFile } from './tree.ts'

/** The rule: an import only ever points to a lower rank, through the other package's `exports`. */
function rankFaults(files: readonly SourceFile[], ranks: Ranks): string[] {
  return files.flatMap((file) => {
    const home = file.path.split('/').slice(0, 2).join('/')
    const modules = file.path.endsWith('package.json') ? dependencies(file.text) : importedModules(file.text)
    return modules.flatMap((module) => {
      const fault = faultOfImport(file.path, home, module, ranks)
      return fault === undefined ? [] : [`${file.path}: ${module}: ${fault}`]
    })
  })
}

function dependencies(text: string): string[] {
  const manifest = JSON.parse(text) as { dependencies?: Record<string, string> }
  return Object.keys(manifest.dependencies ?? {})
}

function faultOfImport(path: string, home: string, module: string, ranks: Ranks): string | undefined {
  if (module.startsWith('.')) return faultOfRelative(path, home, module)
  const target = workspaceOfModule(module)
  if (target === undefined) return undefined
  if (target === home) return 'a package does not import itself by name'
  const from = ranks.get(home)
  const to = ranks.get(target)
  if (from === undefined || to === undefined) return 'has no rank in ARCHITECTURE.md'
  return to < from ? undefined : `rank ${from} must not import rank ${to}`
}

/** Relative imports stay in the package; only tests may reach for what `test/` offers. */
function faultOfRelative(path: string, home: string, module: string): string | undefined {
  const target = posix.join(posix.dirname(path), module)
  if (target.startsWith(`${home}/`)) return undefined
  if (path.endsWith('.test.ts') && target.startsWith('test/')) return undefined
  return 'a relative import leaves the package'
}

/** The rule: whoever names a module behind another package's wall must find it in that package's `exports`. */
function deepImportFaults(
  files: readonly SourceFile[],
  exportsOf: (workspace: string) => readonly string[],
): string[] {
  return files.flatMap((file) =>
    importedModules(file.text).flatMap((module) => {
      const target = workspaceOfModule(module)
      if (target === undefined) return []
      const subpath = module.split('/').slice(2).join('/')
      const entry = subpath === '' ? '.' : `./${subpath}`
      return exportsOf(target).includes(entry) ? [] : [`${file.path}: ${module} is not exported`]
    }),
  )
}

function exportsOfWorkspace(workspace: string): string[] {
  const manifest = JSON.parse(read(`${workspace}/package.json`)) as { exports?: Record<string, unknown> }
  return Object.keys(manifest.exports ?? {})
}

const manifests = /^(packages|apps)\/[^/]+\/package\.json$/

test('imports and dependencies only point to a lower rank', () => {
  const files = [...filesWhere(productCode), ...filesWhere(manifests)]
  expect(rankFaults(files, houseRanks())).toEqual([])
})

test('every package and app has a rank, and every rank a package', () => {
  const workspaces = filesWhere(manifests).map((file) => file.path.replace('/package.json', ''))
  expect([...houseRanks().keys()].toSorted()).toEqual(workspaces.toSorted())
})

test('nothing imports past the exports of a package', () => {
  const files = filesWhere(/^(packages|apps|test|bench|examples)\/(?!tidy\/).*\.(ts|mjs)$/)
  expect(deepImportFaults(files, exportsOfWorkspace)).toEqual([])
})

test('planted: an upward import, a sideways one, one out of the package and an unknown one are found', () => {
  const ranks: Ranks = new Map([
    ['packages/event', 0],
    ['packages/redis', 4],
    ['packages/smtp', 4],
    ['apps/mail', 6],
  ])
  const plant = (path: string, text: string) => rankFaults([{ path, text }], ranks).length
  expect(plant('packages/event/src/a.ts', `import type { A } from '@millrace/redis'`)).toBe(1)
  expect(plant('packages/redis/src/a.ts', `export { a } from '@millrace/smtp'`)).toBe(1)
  expect(plant('packages/redis/src/a.ts', `const a = await import('@millrace-app/mail')`)).toBe(1)
  expect(plant('packages/redis/src/a.ts', `import { a } from '../../event/src/a.ts'`)).toBe(1)
  expect(plant('packages/redis/src/a.test.ts', `import { a } from '../../../test/support/redis.ts'`)).toBe(0)
  expect(plant('packages/redis/src/a.ts', `import {\n  a,\n} from '@millrace/nowhere'`)).toBe(1)
  expect(plant('packages/redis/package.json', `{"dependencies":{"@millrace/smtp":"0.1.0"}}`)).toBe(1)
  expect(plant('packages/redis/src/a.ts', `import { a } from '@millrace/event'`)).toBe(0)
})

test('planted: a deep import is found', () => {
  const files = [{ path: 'test/a.ts', text: `import { a } from '@millrace/log/src/memory.ts'` }]
  expect(deepImportFaults(files, () => ['.'])).toHaveLength(1)
})
