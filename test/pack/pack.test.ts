import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { printedBy } from '../examples/printed.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type BuiltPackage, buildPackages } from './build.ts'
import { copyThirdParty } from './third-party.ts'

const root = join(import.meta.dirname, '../..')
const place = mkdtempSync(join(tmpdir(), 'millrace-pack-'))
const consumer = join(place, 'consumer')
let built: readonly BuiltPackage[]
let redis: TestRedis

/** What a reader's project has beside our packages: the quick start imports zod by itself. */
const consumersOwn = ['zod', '@types/node']

/** The version of a package in this workspace. */
function versionOf(name: string): string {
  const manifest = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string
  }
  return manifest.version
}

function dependenciesOf(directory: string): string[] {
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    dependencies: object
  }
  return Object.keys(manifest.dependencies)
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return execFileSync(command, args, {
    cwd: consumer,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 150_000,
  })
}

beforeAll(async () => {
  redis = await startRedis()
  built = buildPackages(join(place, 'built'))
  const tarballs = join(place, 'tarballs')
  mkdirSync(tarballs)
  mkdirSync(consumer)
  const dependencies = Object.fromEntries(consumersOwn.map((name) => [name, versionOf(name)]))
  writeFileSync(
    join(consumer, 'package.json'),
    JSON.stringify({ name: 'consumer', type: 'module', dependencies }),
  )
  run('npm', ['pack', '--silent', '--pack-destination', tarballs, ...built.map(({ directory }) => directory)])
  const thirdParty = built
    .flatMap(({ directory }) => dependenciesOf(directory))
    .filter((name) => !name.startsWith('@millrace/'))
  copyThirdParty([...consumersOwn, ...thirdParty], join(consumer, 'node_modules'))
  const files = readdirSync(tarballs).map((name) => join(tarballs, name))
  run('npm', ['install', '--offline', '--ignore-scripts', '--no-package-lock', '--loglevel=error', ...files])
}, 600_000)

afterAll(async () => {
  await redis.stop()
  rmSync(place, { recursive: true, force: true })
})

test('every package installs from its tarball with its scripts and licence, and without sources', () => {
  const names = built.map(({ name }) => name)
  expect(names).toContain('@millrace/redis')
  for (const name of names) {
    const files = readdirSync(join(consumer, 'node_modules', name), { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => /(?<!\.d)\.ts$|\.test\./.test(file))).toEqual([])
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'package.json']))
  }
  expect(readdirSync(join(consumer, 'node_modules/@millrace/redis/dist'))).toContain('append.lua')
})

test('every package can be imported where it is installed, without type stripping', () => {
  const lines = built.map(({ name }) => `await import('${name}')`)
  writeFileSync(join(consumer, 'all.mjs'), lines.join('\n'))
  expect(run(process.execPath, ['--no-strip-types', 'all.mjs'])).toBe('')
})

test('the quick start runs on the installed packages against a real Redis', () => {
  const source = readFileSync(join(root, 'examples/quick-start.ts'), 'utf8')
  writeFileSync(join(consumer, 'quick-start.mjs'), stripTypeScriptTypes(source))
  const output = run(process.execPath, ['--no-strip-types', 'quick-start.mjs'], { REDIS_URL: redis.url })
  expect(output).toBe(printedBy(source))
})

test('the declarations satisfy a strict type check of the quick start', () => {
  writeFileSync(join(consumer, 'quick-start.ts'), readFileSync(join(root, 'examples/quick-start.ts'), 'utf8'))
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  expect(run(join(root, 'node_modules/.bin/tsc'), [...options, 'quick-start.ts'])).toBe('')
})
