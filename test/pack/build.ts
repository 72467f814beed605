import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What of a workspace's `package.json` matters for publishing. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly license: string
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/** A package in its published form, ready for `npm pack` or `npm publish`. */
export interface BuiltPackage {
  readonly name: string
  readonly directory: string
}

const root = join(import.meta.dirname, '../..')
const repository = { type: 'git', url: 'git+https://github.com/millrace/millrace.git' }

/**
 * Builds every package that is not private: JavaScript and declarations by one run of `tsc`, whatever else lies
 * beside the sources (scripts, SQL) copied, and a `package.json` whose `exports` lead to the built files.
 */
export function buildPackages(outDir: string): readonly BuiltPackage[] {
  rmSync(outDir, { recursive: true, force: true })
  const names = readdirSync(join(root, 'packages')).filter((name) => manifestOf(name).private !== true)
  compile(names, join(outDir, 'compiled'))
  const built = names.map((name) => assemble(name, outDir))
  rmSync(join(outDir, 'compiled'), { recursive: true })
  return built
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest
}

/** All packages in one program: they import each other's sources, and each file is to be emitted once. */
function compile(names: readonly string[], compiled: string): void {
  mkdirSync(compiled, { recursive: true })
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      noEmitOnError: true,
      rootDir: join(root, 'packages'),
      outDir: compiled,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: names.map((name) => join(root, 'packages', name, 'src')),
    exclude: [join(root, 'packages/*/src/**/*.test.ts'), join(root, 'packages/*/src/testing')],
  }
  const path = join(compiled, 'tsconfig.json')
  writeFileSync(path, JSON.stringify(config, null, 2))
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', path], { stdio: ['ignore', 'inherit', 'inherit'] })
}

function assemble(name: string, outDir: string): BuiltPackage {
  const directory = join(outDir, name)
  const source = join(root, 'packages', name, 'src')
  mkdirSync(directory)
  renameSync(join(outDir, 'compiled', name, 'src'), join(directory, 'dist'))
  cpSync(source, join(directory, 'dist'), { recursive: true, filter: (path) => !path.endsWith('.ts') })
  cpSync(join(root, 'LICENSE'), join(directory, 'LICENSE'))
  const manifest = published(manifestOf(name))
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return { name: manifest.name, directory }
}

/** The manifest as others get it: `./src/x.ts` becomes `./dist/x.js` with its declarations. */
export function published(manifest: Manifest) {
  const entries = Object.entries(manifest.exports).map(([entry, path]) => {
    const built = path.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '')
    return [entry, { types: `${built}.d.ts`, default: `${built}.js` }] as const
  })
  return {
    name: manifest.name,
    version: manifest.version,
    license: manifest.license,
    repository,
    type: 'module',
    engines: { node: '>=22.12' },
    files: ['dist'],
    exports: Object.fromEntries(entries),
    dependencies: manifest.dependencies ?? {},
  }
}

if (import.meta.main) {
  const outDir = join(root, 'dist')
  for (const { name, directory } of buildPackages(outDir)) console.log(`${name}  ${directory}`)
}
