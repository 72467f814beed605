import { expect, test } from 'vitest'
import { filesWhere, read, type SourceFile } from './tree.ts'

/** Variables that the system, a tool or one process of ours for another sets; they are no settings. */
const foreign = new Set([
  'PATH',
  'HOME',
  'CI',
  'NODE_ENV',
  'NODE_OPTIONS',
  'NO_COLOR',
  'FORCE_COLOR',
  'TZ',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'MILLRACE_PARENT_PID',
])

/** Names of environment variables that a file reads: `env.NAME`, `env['NAME']`, or a field `NAME:` of a settings file. */
function variablesIn(file: SourceFile): string[] {
  const read = [...file.text.matchAll(/\benv(?:\.|\[['"])([A-Z][A-Z0-9_]+)/g)]
  const fields = /settings?[^/]*\.ts$/.test(file.path)
    ? [...file.text.matchAll(/^\s+([A-Z][A-Z0-9_]{3,}):/gm)]
    : []
  return [...read, ...fields].map((match) => match[1] ?? '')
}

/** The rule: whatever is read from the environment stands in docs/settings.md, and nothing else does. */
function settingFaults(files: readonly SourceFile[], page: string): string[] {
  const listed = [...page.matchAll(/^\| `([A-Z][A-Z0-9_]+)`/gm)].map((match) => match[1] ?? '')
  const used = new Map(files.flatMap((file) => variablesIn(file).map((name) => [name, file.path])))
  const everything = files.map((file) => file.text).join('\n')
  return [
    ...[...used].flatMap(([name, path]) =>
      listed.includes(name) || foreign.has(name) ? [] : [`${path}: ${name} is not in docs/settings.md`],
    ),
    ...listed
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(everything))
      .map((name) => `${name}: listed and not used`),
  ]
}

/** Who may look at the environment itself: those who compose services, and tests. Services get settings handed in. */
const readers = /^apps\/(all-in-one|cli)\//

/** Tests and what only they use: what they read is for their users alone, such as the seed of a random test. */
const forTests = /\.test\.ts$|\/(contract|testing)\//

function environmentFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !readers.test(file.path) && /\bprocess\.env\b/.test(withoutComments(file.text)))
    .map((file) => `${file.path}: reads process.env`)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

const product = () => filesWhere(/^(packages|apps)\/.*\.(ts|mjs)$/).filter(({ path }) => !forTests.test(path))

test('every environment variable is documented, and every documented one is used', () => {
  expect(settingFaults(product(), read('docs/settings.md'))).toEqual([])
})

test('only the composing apps read the environment', () => {
  expect(environmentFaults(product())).toEqual([])
})

test('planted: an undocumented variable, a stale line and a service that reads the environment are found', () => {
  const plant = (text: string, page: string, path = 'apps/all-in-one/src/a.ts') =>
    settingFaults([{ path, text }], page)
  expect(plant('process.env.MILLRACE_X', '')).toHaveLength(1)
  expect(plant(`env['MILLRACE_X']`, '')).toHaveLength(1)
  expect(plant('z.object({\n  MILLRACE_X: z.string(),', '', 'apps/all-in-one/src/settings.ts')).toHaveLength(
    1,
  )
  expect(plant('env.MILLRACE_X', '| `MILLRACE_X` | x |')).toEqual([])
  expect(plant('', '| `MILLRACE_X` | x |')).toHaveLength(1)
  expect(environmentFaults([{ path: 'packages/log/src/a.ts', text: 'process.env.X' }])).toHaveLength(1)
})
