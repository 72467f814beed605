import { randomBytes } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { projectRoot } from '../../apps/all-in-one/src/pinned-node.ts'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'
import { KeptServer } from '../../apps/all-in-one/src/servers/kept-server.ts'
import { postgresBinaries } from '../../apps/all-in-one/src/servers/postgres-binaries.ts'
import { preparePostgresData, roleName } from '../../apps/all-in-one/src/servers/postgres-data.ts'
import { postgresSpec } from '../../apps/all-in-one/src/servers/postgres-spec.ts'
import { canEnter, type ServerUser, serverUser } from '../../apps/all-in-one/src/servers/server-user.ts'

/** A real PostgreSQL of one's own, gone with the test even if that is killed. */
export interface TestPostgres {
  /** A superuser on an empty database; further databases are the test's to create. */
  readonly url: string
  stop(): Promise<void>
  /** Starts it again on the same port and data, after a clean stop if it runs. */
  restart(): Promise<void>
}

const attempts = 5

/** Starts a private PostgreSQL (about a second). Resolves when it answers. */
export async function startPostgres(): Promise<TestPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    const directory = temporaryDirectory()
    const user = serverUser(directory)
    const binaries = postgresBinaries(user)
    const { data, password } = prepareData(directory, binaries, user)
    const port = await freePort()
    const server = new KeptServer({
      // A test's data need not outlive a power cut.
      ...postgresSpec({ binaries, data, user, port, settings: { fsync: 'off', full_page_writes: 'off' } }),
      restart: false,
      removeAtEnd: [directory],
    })
    try {
      await server.start()
    } catch (error) {
      // Somebody else may have taken the port between asking and listening.
      if (attempt < attempts && error instanceof Error && error.message.includes('in use')) continue
      throw error
    }
    return {
      url: `postgres://${roleName}:${password}@127.0.0.1:${port}/${roleName}`,
      stop: () => server.stop(),
      restart: () => server.restart(),
    }
  }
}

/** From the template that an earlier start has left in the cache, which takes a tenth of the time; else from nothing. */
function prepareData(
  directory: string,
  binaries: string,
  user: ServerUser | undefined,
): { data: string; password: string } {
  const template = path.join(
    projectRoot,
    '.cache',
    `postgres-template-${user?.uid ?? process.geteuid?.()}-${versionOf(binaries)}`,
  )
  const secret = path.join(directory, 'password')
  const known = existsSync(template) && copy(template, directory)
  if (!known) writeFileSync(secret, randomBytes(12).toString('hex'), { mode: 0o600 })
  const password = readFileSync(secret, 'utf8')
  const data = preparePostgresData({ binaries, directory, user, password })
  if (!known) keepTemplate(directory, template)
  return { data, password }
}

/** Where the project may not be written to, every start is one from nothing. */
function keepTemplate(directory: string, template: string): void {
  const unfinished = `${template}.${randomBytes(6).toString('hex')}`
  try {
    mkdirSync(path.dirname(template), { recursive: true })
    mkdirSync(unfinished, { mode: 0o700 })
    if (copy(directory, unfinished)) renameSync(unfinished, template)
  } catch (error) {
    if (!existsSync(template)) console.error(`No template of PostgreSQL was kept: ${String(error)}`)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

/** With owners and modes, which Node's own copy leaves behind. */
function copy(from: string, to: string): boolean {
  return spawnSync('cp', ['-a', `${from}/.`, to]).status === 0
}

/** The template must fit the program. */
function versionOf(binaries: string): string {
  return (
    spawnSync(path.join(binaries, 'bin/postgres'), ['--version'], { encoding: 'utf8' })
      .stdout.trim()
      .split(' ')
      .at(-1) ?? ''
  )
}

/** A fresh directory that the server's user can enter too, wherever TMPDIR points. */
function temporaryDirectory(): string {
  const user = serverUser('/')
  const place = [tmpdir(), '/tmp', '/var/tmp'].find((candidate) => canEnter(candidate, user)) ?? tmpdir()
  const directory = mkdtempSync(path.join(place, 'millrace-postgres-'))
  chmodSync(directory, 0o711)
  return directory
}
