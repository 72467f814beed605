import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { StartRefused } from '../start-refused.ts'

/** A user of this machine that a server runs as. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/**
 * The user that PostgreSQL runs as. It refuses root, so root hands it to the first of `postgres`, `nobody` and
 * `daemon` that the machine has, or to the owner of data that is there already; everybody else is himself.
 *
 * @returns undefined for "as ourselves"
 * @throws {StartRefused} when root finds no such user
 */
export function serverUser(existingData: string): ServerUser | undefined {
  if (process.geteuid?.() !== 0) return undefined
  const owner = statSync(existingData, { throwIfNoEntry: false })
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  for (const wanted of ['postgres', 'nobody', 'daemon']) {
    const found = users.find(([name]) => name === wanted)
    if (found !== undefined) return { uid: Number(found[2]), gid: Number(found[3]) }
  }
  throw new StartRefused(
    'PostgreSQL does not run as root, and this machine has none of the users postgres, nobody and daemon. ' +
      'Run as another user, or set DATABASE_URL to a PostgreSQL server of your own.',
  )
}

/** Whether `user` can enter `directory`. Asked of the system itself, so that modes, groups and ACLs all count. */
export function canEnter(directory: string, user: ServerUser | undefined): boolean {
  const asked = spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', directory], { cwd: '/', ...user })
  return asked.status === 0
}
