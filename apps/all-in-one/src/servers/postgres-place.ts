import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Home } from '../home.ts'
import { StartRefused } from '../start-refused.ts'
import { sharedDirectory } from './postgres-binaries.ts'
import { canEnter, type ServerUser, serverUser } from './server-user.ts'

/** Where the private PostgreSQL keeps its data, and as whom it runs. */
export interface PostgresPlace {
  readonly directory: string
  readonly user: ServerUser | undefined
}

/** In the home: where the data is when it is not in the home. */
const recordName = 'postgres-place.json'
/** Beside the data: whose it is. */
const ownerName = 'home.txt'

/**
 * The home's own `postgres` directory, unless root starts Millrace in a place that the server's user cannot enter (a
 * checkout in /root). Then it is a directory of its own below /var/lib, which the home remembers: /var/tmp is swept by
 * the system, and opening the way to the home is not ours to do.
 */
export function postgresPlace(home: Home, say: (sentence: string) => void): PostgresPlace {
  const recorded = home.readPrivate<{ directory: string }>(recordName)?.directory
  if (recorded !== undefined) return recordedPlace(home, recorded, say)
  const directory = home.path('postgres')
  mkdirSync(directory, { recursive: true, mode: 0o711 })
  const user = serverUser(path.join(directory, 'data'))
  if (user === undefined || canEnter(directory, user)) return { directory, user }
  const outside = path.join(sharedDirectory, `postgres-data-${randomBytes(6).toString('hex')}`)
  makeOutside(home, outside, user)
  home.writePrivate(recordName, { directory: outside })
  say(
    `PostgreSQL does not run as root, and another user cannot enter ${home.directory}: its data is in ${outside}.`,
  )
  return { directory: outside, user }
}

function recordedPlace(home: Home, directory: string, say: (sentence: string) => void): PostgresPlace {
  const user = serverUser(path.join(directory, 'data'))
  const owner = readOr(path.join(directory, ownerName))?.trim()
  if (owner === undefined) {
    say(
      `The data of PostgreSQL is no longer in ${directory}: it starts empty, and the views are built again.`,
    )
    makeOutside(home, directory, user)
  } else if (owner !== home.directory) {
    // The home was moved, or copied. Two homes on one data directory would spoil it.
    if (readOr(path.join(owner, recordName))?.includes(directory) === true)
      throw new StartRefused(
        `${home.directory} is a copy of ${owner}, whose PostgreSQL data is in ${directory}. To give the copy data of ` +
          `its own (the views are built again), remove ${home.path(recordName)}.`,
      )
    writeFileSync(path.join(directory, ownerName), `${home.directory}\n`)
  }
  return { directory, user }
}

function makeOutside(home: Home, directory: string, user: ServerUser | undefined): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o711 })
    writeFileSync(path.join(directory, ownerName), `${home.directory}\n`)
  } catch (cause) {
    throw new StartRefused(
      `PostgreSQL runs as uid ${user?.uid}, which cannot enter ${home.directory}, and ${directory} cannot be made ` +
        `(${cause instanceof Error ? cause.message : String(cause)}). Set MILLRACE_HOME to a directory that this ` +
        'user can enter, or DATABASE_URL to a server of your own.',
      { cause },
    )
  }
}

function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return undefined
    throw error
  }
}
