import { expect, test } from 'vitest'
import { read } from './tree.ts'

interface LockedPackage {
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly os?: string | readonly string[]
  readonly cpu?: string | readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

type Packages = Readonly<Record<string, LockedPackage>>

/** The rule: the lock file pins versions and checksums, and names no server to get them from. */
function entryFaults(packages: Packages): string[] {
  return Object.entries(packages).flatMap(([path, entry]) => {
    if (entry.resolved?.includes('://') === true) return [`${path}: names an address`]
    const isInstalled = path.startsWith('node_modules/') && entry.link !== true && !isForOthers(entry)
    return isInstalled && entry.integrity === undefined ? [`${path}: has no checksum`] : []
  })
}

/** A build for a platform that Millrace is not developed on. npm needs its entry, and never fetches it here. */
function isForOthers({ os = ['linux'], cpu = ['x64'], libc = ['glibc'] }: LockedPackage): boolean {
  return (
    !os.includes('linux') ||
    !libc.includes('glibc') ||
    ![cpu].flat().some((name) => name === 'x64' || name === 'arm64')
  )
}

/** The rule: every optional package has an entry, whatever its platform. `npm ci` refuses a lock file without. */
function absentFaults(packages: Packages): string[] {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      )
      .map((name) => `${path}: ${name} has no entry`),
  )
}

const packages = () => (JSON.parse(read('package-lock.json')) as { packages: Packages }).packages

test('the lock file carries checksums and no addresses', () => {
  expect(entryFaults(packages())).toEqual([])
})

test('the lock file knows the builds for all platforms', () => {
  expect(absentFaults(packages())).toEqual([])
})

test('planted: an address, a missing checksum and a missing build are found', () => {
  const plant = (entry: LockedPackage) => entryFaults({ 'node_modules/a': entry })
  expect(plant({ resolved: 'https://example.com/a.tgz', integrity: 'sha512-x' })).toHaveLength(1)
  expect(plant({})).toHaveLength(1)
  expect(plant({ os: ['linux'], cpu: ['x64'] })).toHaveLength(1)
  expect(plant({ os: ['darwin'], cpu: ['arm64'] })).toEqual([])
  expect(plant({ integrity: 'sha512-x' })).toEqual([])
  expect(plant({ resolved: 'packages/a', link: true })).toEqual([])
  const builder: LockedPackage = { integrity: 'sha512-x', optionalDependencies: { 'a-win32-x64': '1.0.0' } }
  expect(absentFaults({ 'node_modules/a': builder })).toHaveLength(1)
  expect(absentFaults({ 'node_modules/a': builder, 'node_modules/a-win32-x64': {} })).toEqual([])
})
