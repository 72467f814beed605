import { expect, test } from 'vitest'
import { read } from './tree.ts'

/** The rule: the lock file pins versions and checksums, and names no server to get them from. */
function lockFaults(text: string): string[] {
  const lock = JSON.parse(text) as { packages: Record<string, LockedPackage> }
  return Object.entries(lock.packages).flatMap(([path, entry]) => {
    if (entry.resolved?.includes('://') === true) return [`${path}: names an address`]
    const fromRegistry = path.startsWith('node_modules/') && entry.link !== true && entry.inBundle !== true
    return fromRegistry && entry.integrity === undefined ? [`${path}: has no checksum`] : []
  })
}

interface LockedPackage {
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly inBundle?: boolean
}

test('the lock file carries checksums and no addresses', () => {
  expect(lockFaults(read('package-lock.json'))).toEqual([])
})

test('planted: an address and a missing checksum are found', () => {
  const plant = (entry: LockedPackage) =>
    lockFaults(JSON.stringify({ packages: { 'node_modules/a': entry } }))
  expect(plant({ resolved: 'https://example.com/a.tgz', integrity: 'sha512-x' })).toHaveLength(1)
  expect(plant({})).toHaveLength(1)
  expect(plant({ integrity: 'sha512-x' })).toEqual([])
  expect(plant({ resolved: 'packages/a', link: true })).toEqual([])
})
