import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'
import { KeptServer } from '../../apps/all-in-one/src/servers/kept-server.ts'
import { postgresBinaries } from '../../apps/all-in-one/src/servers/postgres-binaries.ts'
import { preparePostgresData, roleName } from '../../apps/all-in-one/src/servers/postgres-data.ts'
import { postgresSpec } from '../../apps/all-in-one/src/servers/postgres-spec.ts'
import { canEnter, serverUser } from '../../apps/all-in-one/src/servers/server-user.ts'

/** A real PostgreSQL of one's own, gone with the test even if that is killed. */
export interface TestPostgres {
  /** A superuser on an empty database; further databases are the test's to create. */
  readonly url: string
  stop(): Promise<void>
}

const attempts = 5

/** Starts a private PostgreSQL (about a second). Resolves when it answers. */
export async function startPostgres(): Promise<TestPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    const directory = temporaryDirectory()
    const user = serverUser(directory)
    const binaries = postgresBinaries(user)
    const password = randomBytes(12).toString('hex')
    const data = preparePostgresData({ binaries, directory, user, password })
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
    }
  }
}

/** A fresh directory that the server's user can enter too, wherever TMPDIR points. */
function temporaryDirectory(): string {
  const user = serverUser('/')
  const place = [tmpdir(), '/tmp', '/var/tmp'].find((candidate) => canEnter(candidate, user)) ?? tmpdir()
  const directory = mkdtempSync(path.join(place, 'millrace-postgres-'))
  chmodSync(directory, 0o711)
  return directory
}
