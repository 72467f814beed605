import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pinnedNode, projectRoot } from '../../apps/all-in-one/src/pinned-node.ts'
import { eventually } from './processes.ts'

// An npm that writes down its calls and makes what `npm ci` would make; with FAKE_NPM=fail it breaks off half-way,
// and with FAKE_NPM=wait it goes on only when a file `go` is there. Told to end it takes a moment, and writes that down.
const fakeNpm = `
  const { appendFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } = require('node:fs')
  const root = process.argv[process.argv.indexOf('--prefix') + 1]
  process.on('SIGTERM', () => setTimeout(() => {
    appendFileSync(root + '/calls', 'ended\\n')
    process.exit(1)
  }, 300))
  appendFileSync(root + '/calls', process.argv.slice(2).join(' ') + '\\n')
  rmSync(root + '/node_modules', { recursive: true, force: true })
  mkdirSync(root + '/node_modules/node-${process.platform}-${process.arch}/bin', { recursive: true })
  if (process.env.FAKE_NPM === 'fail') process.exit(3)
  symlinkSync(process.env.REAL_NODE, root + '/node_modules/node-${process.platform}-${process.arch}/bin/node')
  if (process.env.FAKE_NPM === 'wait') setInterval(() => existsSync(root + '/go') && process.exit(0), 20)
`

let root: string
const children: ChildProcess[] = []
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'millrace-install-'))
  const app = path.join(root, 'apps/all-in-one')
  mkdirSync(app, { recursive: true })
  for (const name of ['bootstrap.mjs', 'bootstrap'])
    cpSync(path.join(projectRoot, 'apps/all-in-one', name), path.join(app, name), { recursive: true })
  pin('1.0.0')
  writeFileSync(path.join(root, 'npm-cli.js'), fakeNpm)
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

/** Writes a lock file with one package of this version. */
function pin(version: string): void {
  const packages = { '': {}, 'node_modules/thing': { version, integrity: `sha512-${version}` } }
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages }))
}

interface Bootstrap {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>
  errors(): string
}

function bootstrap(args: readonly string[], env: Readonly<Record<string, string>> = {}): Bootstrap {
  const child = spawn(process.execPath, [path.join(root, 'apps/all-in-one/bootstrap.mjs'), ...args], {
    env: {
      PATH: '/usr/bin:/bin',
      REAL_NODE: pinnedNode(),
      npm_execpath: path.join(root, 'npm-cli.js'),
      ...env,
    },
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let [output, errors] = ['', '']
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()))
  child.stderr?.on('data', (text: Buffer) => (errors += text.toString()))
  return {
    child,
    ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, output, errors }))),
    errors: () => errors,
  }
}

const calls = (): string[] =>
  existsSync(path.join(root, 'calls'))
    ? readFileSync(path.join(root, 'calls'), 'utf8').trim().split('\n')
    : []
const sayVersion = ['run', 'node', '-p', 'process.version']

test('the first start installs, development packages included, and the next one does not', async () => {
  const first = await bootstrap(sayVersion, { NODE_ENV: 'production' }).ended
  expect(first).toMatchObject({ code: 0, output: `${process.version}\n` })
  expect(calls()[0]).toContain(`ci --prefix ${root} --include=dev --include=optional`)
  const second = await bootstrap(sayVersion).ended
  expect(second).toEqual({ code: 0, output: `${process.version}\n`, errors: '' })
  expect(calls()).toHaveLength(1)
})

test('a changed lock file is installed, one that npm has installed already is not', async () => {
  await bootstrap(sayVersion).ended
  pin('1.0.1')
  await bootstrap(sayVersion).ended
  expect(calls()).toHaveLength(2)
  pin('1.0.2')
  const noted = { packages: { 'node_modules/thing': { version: '1.0.2', integrity: 'sha512-1.0.2' } } }
  writeFileSync(path.join(root, 'node_modules/.package-lock.json'), JSON.stringify(noted))
  await bootstrap(sayVersion).ended
  expect(calls()).toHaveLength(2)
})

test('two starts side by side install once: the second waits and goes on', async () => {
  const [first, second] = [
    bootstrap(sayVersion, { FAKE_NPM: 'wait' }),
    bootstrap(sayVersion, { FAKE_NPM: 'wait' }),
  ]
  await eventually('one of them waits', () =>
    `${first.errors()}${second.errors()}`.includes('Another start is installing; waiting for it.')
      ? undefined
      : first.errors() + second.errors(),
  )
  writeFileSync(path.join(root, 'go'), '')
  expect([(await first.ended).code, (await second.ended).code]).toEqual([0, 0])
  expect(calls()).toHaveLength(1)
})

test('an install that fails tells its exit code, and the next start installs again', async () => {
  const failed = await bootstrap(sayVersion, { FAKE_NPM: 'fail' }).ended
  expect(failed.code).toBe(3)
  expect(failed.errors).toContain('npm ci failed (exit code 3)')
  expect((await bootstrap(sayVersion).ended).code).toBe(0)
  expect(calls()).toHaveLength(2)
})

test('the npm of a start that was killed ends, and only then the next start installs', async () => {
  const killed = bootstrap(sayVersion, { FAKE_NPM: 'wait' })
  await eventually('it installs', () => (calls().length === 1 ? undefined : killed.errors()))
  const next = bootstrap(sayVersion)
  await eventually('the next one waits', () =>
    next.errors().includes('Another start is installing; waiting for it.') ? undefined : next.errors(),
  )
  killed.child.kill('SIGKILL')
  expect(await next.ended).toMatchObject({ code: 0, output: `${process.version}\n` })
  expect(calls().map((call) => call.split(' ')[0])).toEqual(['ci', 'ended', 'ci'])
  // Its output is closed when the last process that it started has ended.
  await killed.ended
})

test('without a pinned Node that runs here, the running one goes on', async () => {
  const broken = path.join(root, 'no-node')
  writeFileSync(broken, '#!/nonexistent\n')
  chmodSync(broken, 0o755)
  const { code, output } = await bootstrap(sayVersion, { REAL_NODE: broken }).ended
  expect({ code, output }).toEqual({ code: 0, output: `${process.version}\n` })
})

test('exit codes and signals of what was run are handed on', async () => {
  expect((await bootstrap(['run', 'node', '-e', 'process.exit(7)']).ended).code).toBe(7)
  expect((await bootstrap(['run', 'node', '-e', 'process.kill(process.pid, "SIGTERM")']).ended).code).toBe(
    143,
  )
  expect((await bootstrap(['dance']).ended).code).toBe(2)
})

test('one press that comes as two signals reaches the program once, a later one reaches it again', async () => {
  const script = `
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => console.error('interrupted'))
    setInterval(() => {}, 1000)
    console.error('listening')`
  const run = bootstrap(['run', 'node', '-e', script])
  await eventually('it listens', () => (run.errors().includes('listening') ? undefined : run.errors()))
  // Both wait for it when it goes on: no time passes between them, however slow the machine is.
  for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) run.child.kill(signal)
  await eventually('it is told', () => (run.errors().includes('interrupted') ? undefined : run.errors()))
  // Nothing tells that a signal was not handed on; and a second press counts only after half a second.
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(run.errors().match(/interrupted/g)).toHaveLength(1)
  run.child.kill('SIGINT')
  await eventually('it is told again', () =>
    run.errors().match(/interrupted/g)?.length === 2 ? undefined : run.errors(),
  )
})

test('what was run ends with all its children when its starter is killed', async () => {
  const script = `
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    console.error(JSON.stringify([process.pid, child.pid]))
    setInterval(() => {}, 1000)`
  const run = bootstrap(['run', 'node', '-e', script])
  await eventually('both run', () => (run.errors().includes(']') ? undefined : run.errors()))
  const pids = JSON.parse(run.errors().slice(run.errors().indexOf('['))) as number[]
  run.child.kill('SIGKILL')
  await eventually('both are gone', () => (pids.some(isAlive) ? String(pids) : undefined))
  expect(pids.filter(isAlive)).toEqual([])
})

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
