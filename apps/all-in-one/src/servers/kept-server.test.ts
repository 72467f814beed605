import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually, processesIn } from '../../../../test/start/processes.ts'
import type { KeeperSpec } from './keeper-messages.ts'
import { KeptServer } from './kept-server.ts'

// A server in miniature: says that it is ready, notes its signals, and ends when it is told to.
const program = `
  const { appendFileSync } = require('node:fs')
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.on(signal, () => {
      appendFileSync('signals', signal + '\\n')
      if (process.argv[1] !== 'stubborn') process.exit(0)
    })
  setInterval(() => {}, 1000)
  console.log('Now READY to serve as ' + process.pid)`

let directory: string
let server: KeptServer | undefined
const said: string[] = []
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'millrace-keeper-'))
  said.length = 0
})
afterEach(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function specOf(spec: Partial<KeeperSpec>): KeeperSpec {
  return {
    name: 'Thing',
    command: process.execPath,
    args: ['-e', program],
    env: {},
    cwd: directory,
    readyText: 'ready to serve',
    readyTimeoutMs: 60_000,
    stopSignal: 'SIGINT',
    stopTimeoutMs: 60_000,
    logFile: path.join(directory, 'log'),
    restart: true,
    home: { directory, processNames: ['node', 'node-MainThread', 'MainThread'] },
    removeAtEnd: [],
    ...spec,
  }
}

function keep(spec: Partial<KeeperSpec> = {}): KeptServer {
  server = new KeptServer(specOf(spec), (sentence) => said.push(sentence))
  return server
}

const signals = () => readFileSync(path.join(directory, 'signals'), 'utf8')
const servers = () => processesIn([directory]).map(({ pid }) => pid)

test('a server is stopped with its own signal, and its output is in the log', async () => {
  const thing = keep()
  await thing.start()
  const [pid] = servers()
  await thing.stop()
  expect(signals()).toBe('SIGINT\n')
  expect(servers()).toEqual([])
  expect(readFileSync(path.join(directory, 'log'), 'utf8')).toBe(`Now READY to serve as ${pid}\n`)
})

test('a server that does not stop is killed', async () => {
  // Long enough that it has noted its signal before, also on a machine that stands still for a moment.
  const thing = keep({ args: ['-e', program, 'stubborn'], stopTimeoutMs: 3_000 })
  await thing.start()
  await thing.stop()
  expect(signals()).toBe('SIGINT\n')
  expect(servers()).toEqual([])
})

test('a server that does not come up fails with what it printed, and is not tried again', async () => {
  const thing = keep({ args: ['-e', 'console.error("no such thing"); process.exit(4)'] })
  await expect(thing.start()).rejects.toThrow('Thing did not start (exit code 4).\nno such thing')
  expect(servers()).toEqual([])
  await expect(keep({ command: '/nonexistent/server' }).start()).rejects.toThrow('ENOENT')
})

test('a server that never says that it is ready is given up', async () => {
  const thing = keep({ args: ['-e', 'setInterval(() => {}, 1000)'], readyTimeoutMs: 200 })
  await expect(thing.start()).rejects.toThrow('Thing did not start (SIGKILL).')
})

test('a server outlives a killed starter until the last holder of its lifeline has ended', async () => {
  const spec = specOf({ restart: false })
  const script = `
    const { KeptServer } = await import(${JSON.stringify(path.join(import.meta.dirname, 'kept-server.ts'))})
    const { spawn } = await import('node:child_process')
    const server = new KeptServer(${JSON.stringify(spec)})
    await server.start()
    const stdio = ['ignore', 'ignore', 'ignore', server.lifeline]
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio })
    console.log(holder.pid)`
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [holder] = (await once(starter.stdout, 'data')) as [Buffer]
  starter.kill('SIGKILL')
  await once(starter, 'exit')
  // A keeper whose lifeline is closed has stopped its server long before this.
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(servers()).toHaveLength(1)
  process.kill(Number(holder.toString()), 'SIGKILL')
  await eventually('the server is stopped', () => (servers().length === 0 ? undefined : 'it runs'))
  expect(signals()).toBe('SIGINT\n')
})

test('a stranger in another directory, and one whose pid is in the pid file, is left alone', async () => {
  const elsewhere = path.join(directory, 'elsewhere')
  mkdirSync(elsewhere)
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'], {
    cwd: elsewhere,
  })
  await once(stranger.stdout, 'data')
  const pidFile = path.join(directory, 'server.pid')
  writeFileSync(pidFile, `${stranger.pid}\n`)
  const thing = keep({
    home: { directory, processNames: ['node', 'node-MainThread', 'MainThread'], pidFile: 'server.pid' },
  })
  await thing.start()
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull()
  expect(existsSync(pidFile)).toBe(false)
  expect(said).toEqual([])
  stranger.kill('SIGKILL')
  await once(stranger, 'exit')
})

test('a leftover of an earlier run is stopped before the server starts', async () => {
  const leftover = spawn(process.execPath, ['-e', program], { cwd: directory })
  await once(leftover.stdout, 'data')
  const ended = once(leftover, 'exit')
  await keep().start()
  await ended
  expect(said).toEqual([
    `Thing of an earlier run was still there (pid ${leftover.pid}) and has been stopped.`,
  ])
})

test('a server that keeps crashing is tried at growing intervals', async () => {
  const thing = keep({ args: ['-e', `${program}; setTimeout(() => process.exit(9), 10)`] })
  await thing.start()
  await eventually('it crashed three times', () => (said.length >= 3 ? undefined : said.join('\n')))
  expect(said.slice(0, 3)).toEqual(
    [250, 500, 1_000].map((ms) => `Thing ended unexpectedly (exit code 9). It is started again in ${ms} ms.`),
  )
})
