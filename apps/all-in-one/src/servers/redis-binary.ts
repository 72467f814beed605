import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { unpackRedis } from './redis-packages.ts'

/** A Redis server that can be started, and the environment it needs. */
export interface RedisBinary {
  readonly command: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * `redis-server` or `valkey-server` on the PATH; else the system's packages unpacked into `cacheDirectory`.
 *
 * @throws {StartRefused} when there is neither
 */
export async function findRedis(
  cacheDirectory: string,
  say: (sentence: string) => void,
): Promise<RedisBinary> {
  const command = onPath('redis-server') ?? onPath('valkey-server')
  if (command !== undefined) return { command, env: {} }
  return await unpackRedis(cacheDirectory, say)
}

/** The first executable of this name on the PATH. */
function onPath(name: string): string | undefined {
  // The places of a plain system come last: a user's PATH often lacks the sbin ones.
  const places = [
    ...(process.env['PATH'] ?? '').split(path.delimiter),
    '/usr/local/bin',
    '/usr/bin',
    '/usr/sbin',
  ]
  return places
    .filter(path.isAbsolute)
    .map((place) => path.join(place, name))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
