import { expect, test } from 'vitest'
import { filesWhere, read, type SourceFile } from './tree.ts'

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
}

const exact = /^\d+\.\d+\.\d+(-[\w.]+)?$/
const isOurs = (name: string) => name.startsWith('@millrace/') || name.startsWith('@millrace-app/')

/** The rule: every version is exact, so that two machines install the same. */
function versionFaults(manifests: readonly SourceFile[]): string[] {
  return manifests.flatMap((file) => {
    const manifest = JSON.parse(file.text) as Manifest
    const all = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies }
    return Object.entries(all).flatMap(([name, version]) =>
      exact.test(version) ? [] : [`${file.path}: ${name}: "${version}" is not an exact version`],
    )
  })
}

/** The rule: every runtime dependency has one line in docs/dependencies.md that says what it is for. */
function listingFaults(manifests: readonly SourceFile[], listing: string): string[] {
  const listed = [...listing.matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => match[1] ?? '')
  const used = new Set(
    manifests.flatMap((file) => {
      const manifest = JSON.parse(file.text) as Manifest
      return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    }),
  )
  const wanted = [...used].filter((name) => !isOurs(name))
  return [
    ...wanted.filter((name) => !listed.includes(name)).map((name) => `${name}: not in docs/dependencies.md`),
    ...listed.filter((name) => !used.has(name)).map((name) => `${name}: listed and not used`),
    ...listed.filter((name, index) => listed.indexOf(name) !== index).map((name) => `${name}: listed twice`),
  ]
}

const manifests = () => filesWhere(/^((packages|apps)\/[^/]+\/)?package\.json$/)

test('dependencies are pinned exactly', () => {
  expect(versionFaults(manifests())).toEqual([])
})

test('every runtime dependency is explained in one line', () => {
  expect(listingFaults(manifests(), read('docs/dependencies.md'))).toEqual([])
})

test('planted: a range, a tag, a missing line, a stale line and a double line are found', () => {
  const plant = (version: string) => [{ path: 'package.json', text: `{"dependencies":{"a":"${version}"}}` }]
  expect(versionFaults(plant('^1.0.0'))).toHaveLength(1)
  expect(versionFaults(plant('latest'))).toHaveLength(1)
  expect(versionFaults(plant('1.0.0-beta.1'))).toEqual([])
  expect(listingFaults(plant('1.0.0'), '')).toHaveLength(1)
  expect(listingFaults(plant('1.0.0'), '| `a` | x |\n| `b` | x |')).toHaveLength(1)
  expect(listingFaults(plant('1.0.0'), '| `a` | x |\n| `a` | x |')).toHaveLength(1)
})
