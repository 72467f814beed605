import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

interface LockedPackage {
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const root = join(import.meta.dirname, '../..')

/**
 * Copies the named packages and all that they need, at the lock file's versions, into another `node_modules`, so
 * that an installation there needs no network. Only what is declared is copied: a package that imports more fails.
 */
export function copyThirdParty(names: readonly string[], nodeModules: string): void {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>
  }
  const copied = new Set<string>()
  const waiting = names.map((name) => `node_modules/${name}`)
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const entry = packages[path]
    if (copied.has(path) || entry === undefined || !existsSync(join(root, path))) continue
    copied.add(path)
    const target = join(nodeModules, path.slice('node_modules/'.length))
    cpSync(join(root, path), target, {
      recursive: true,
      filter: (from) => dirname(from) !== join(root, path, 'node_modules'),
    })
    linkBins(target, entry.bin ?? {})
    const needs = { ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies }
    for (const name of Object.keys(needs)) {
      const found = resolve(packages, path, name)
      if (found !== undefined) waiting.push(found)
    }
  }
}

/** npm takes a package without its links in `.bin` for a broken one, and fetches it anew. */
function linkBins(target: string, bin: Readonly<Record<string, string>>): void {
  const place = join(target.slice(0, target.lastIndexOf('/node_modules/')), 'node_modules/.bin')
  for (const [name, file] of Object.entries(bin)) {
    mkdirSync(place, { recursive: true })
    symlinkSync(relative(place, join(target, file)), join(place, name))
  }
}

/** Where Node would find a package from inside another one: nested first, then upwards. */
function resolve(
  packages: Readonly<Record<string, unknown>>,
  from: string,
  name: string,
): string | undefined {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    const candidate = place === '' ? `node_modules/${name}` : `${place}/node_modules/${name}`
    if (candidate in packages) return candidate
    if (place === '') return undefined
  }
}
