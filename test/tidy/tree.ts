import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A text file of the repository; `path` is relative to its root, with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** The repository's root directory. */
export const root = join(import.meta.dirname, '../..')

const skippedNames = new Set(['.git', ...ignoredNames()])
const textual =
  /\.(ts|mts|mjs|js|lua|sql|md|json|jsonc|ya?ml|html|css|sh|txt)$|(^|\/)(Dockerfile|LICENSE|run|\.[a-z]+)$/

/** Plain names in `.gitignore` (patterns with a star are matched as endings). */
function ignoredNames(): string[] {
  return readFileSync(join(root, '.gitignore'), 'utf8')
    .split('\n')
    .map((line) => line.trim().replace(/\/$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'))
}

function isSkipped(name: string): boolean {
  if (skippedNames.has(name)) return true
  return [...skippedNames].some((pattern) => pattern.startsWith('*') && name.endsWith(pattern.slice(1)))
}

function* walk(directory: string): Generator<string> {
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    if (isSkipped(entry.name)) continue
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile()) yield path
  }
}

/** Every file that belongs to the repository, whether committed yet or not. */
export function allPaths(): string[] {
  return [...walk('')].toSorted()
}

/** The repository's text files whose path matches. */
export function filesWhere(pattern: RegExp): SourceFile[] {
  return allPaths()
    .filter((path) => textual.test(path) && pattern.test(path))
    .map((path) => ({ path, text: read(path) }))
}

/** The text of one file of the repository. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** TypeScript and JavaScript of packages and apps. */
export const productCode = /^(packages|apps)\/[^/]+\/.*\.(ts|mjs)$/
