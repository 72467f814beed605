import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { StartRefused } from '../start-refused.ts'
import type { RedisBinary } from './redis-binary.ts'

const run = promisify(execFile)

/** Names of the packages that hold a server, best first. */
const packageNames = ['redis-server', 'valkey-server']
/** Most time for one command of the package manager, in ms. */
const commandTimeoutMs = 5 * 60_000

/**
 * Redis from the system's packages, fetched and unpacked below `cacheDirectory`: needs no root, and unlike an
 * installation it starts no service. Kept there for the next time.
 *
 * @throws {StartRefused} when the system has no apt, or no network, or the result does not run
 */
export async function unpackRedis(
  cacheDirectory: string,
  say: (sentence: string) => void,
): Promise<RedisBinary> {
  const place = path.join(cacheDirectory, `${process.platform}-${process.arch}`)
  const kept = await runnable(place)
  if (kept !== undefined) return kept
  say('There is no Redis on this machine; its packages are fetched and unpacked for Millrace alone.')
  let unfinished: string | undefined
  try {
    mkdirSync(cacheDirectory, { recursive: true })
    unfinished = mkdtempSync(path.join(cacheDirectory, 'unfinished-'))
    await fetchPackages(unfinished)
    const root = path.join(unfinished, 'root')
    for (const file of readdirSync(unfinished).filter((name) => name.endsWith('.deb')))
      await run('dpkg', ['-x', path.join(unfinished, file), root])
    rmSync(place, { recursive: true, force: true })
    renameSync(root, place)
    const binary = await runnable(place)
    if (binary !== undefined) return binary
    throw new Error('the unpacked server does not run')
  } catch (cause) {
    throw new StartRefused(
      `There is no Redis, and it could not be fetched (${reasonOf(cause)}). Install one (apt install redis-server, ` +
        'or valkey-server), or set REDIS_URL to a server of your own (Redis 7 or Valkey).',
      { cause },
    )
  } finally {
    if (unfinished !== undefined) rmSync(unfinished, { recursive: true, force: true })
  }
}

/** With the system's package lists; where those are empty or out of date, with lists of our own. */
async function fetchPackages(directory: string): Promise<void> {
  const options = [
    `-oDir::Cache=${path.join(directory, 'apt')}`,
    '-oDebug::NoLocking=1',
    // Root would hand the download to a user who may not enter the directory.
    ...(process.geteuid?.() === 0 ? ['-oAPT::Sandbox::User=root'] : []),
  ]
  mkdirSync(path.join(directory, 'apt/archives/partial'), { recursive: true })
  try {
    await download(directory, options)
  } catch {
    // Whatever the reason was: if it persists, the second try tells it.
    const lists = path.join(directory, 'lists')
    mkdirSync(path.join(lists, 'partial'), { recursive: true })
    const own = [...options, `-oDir::State::Lists=${lists}`]
    await run('apt-get', [...own, 'update'], { timeout: commandTimeoutMs })
    await download(directory, own)
  }
}

/** Fetches the server and what it needs beyond what the system has. */
async function download(directory: string, options: readonly string[]): Promise<void> {
  let reason: unknown
  for (const name of packageNames) {
    try {
      const simulation = ['-s', '--no-install-recommends', 'install', name]
      const { stdout } = await run('apt-get', [...options, ...simulation], { timeout: commandTimeoutMs })
      const wanted = [...stdout.matchAll(/^Inst (\S+) \((\S+)/gm)].map((match) => `${match[1]}=${match[2]}`)
      if (wanted.length === 0) throw new Error(`apt has nothing to fetch for ${name}`)
      await run('apt-get', [...options, 'download', ...wanted], { cwd: directory, timeout: commandTimeoutMs })
      return
    } catch (error) {
      reason ??= error
    }
  }
  throw reason
}

/** The server in an unpacked tree, if it is there and really starts. */
async function runnable(root: string): Promise<RedisBinary | undefined> {
  const command = packageNames
    .map((name) => path.join(root, 'usr/bin', name))
    .find((file) => existsSync(file))
  if (command === undefined) return undefined
  const env = { LD_LIBRARY_PATH: libraryDirectories(root).join(':') }
  try {
    await run(command, ['--version'], { env, timeout: 10_000 })
    return { command, env }
  } catch {
    // Unpacked on another release of the system, say: fetched anew.
    return undefined
  }
}

function libraryDirectories(root: string): string[] {
  return ['usr/lib', 'lib'].flatMap((place) => {
    const directory = path.join(root, place)
    if (!existsSync(directory)) return []
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => path.join(directory, name))
  })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') return 'this system has no apt-get'
  const stderr = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : ''
  return (stderr === '' ? error.message : stderr).split('\n').slice(-2).join(' ')
}
