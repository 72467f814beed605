import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ServerFailed } from './kept-server.ts'
import type { ServerUser } from './server-user.ts'

export interface PostgresData {
  /** The directory with `bin`, `lib` and `share`. */
  readonly binaries: string
  /** The cluster lies in `data` below it. */
  readonly directory: string
  readonly user: ServerUser | undefined
  readonly password: string
}

/** The role and the database that a private server has. */
export const roleName = 'millrace'

/**
 * Makes the cluster with its role, database and access rules if it is not there, and sets the role's password if
 * it is another than last time (secrets.json was removed, say).
 *
 * @throws {ServerFailed} with what PostgreSQL printed
 */
export function preparePostgresData(options: PostgresData): string {
  const data = path.join(options.directory, 'data')
  mkdirSync(options.directory, { recursive: true, mode: 0o711 })
  // Only its hash is kept here: it tells whether the password is another one.
  const mark = path.join(options.directory, 'password.sha256')
  const hash = createHash('sha256').update(options.password).digest('hex')
  if (existsSync(data)) {
    if (existsSync(mark) && readFileSync(mark, 'utf8') === hash) return data
    inSingleUserMode(options, data, [passwordStatement(options.password)])
  } else {
    create(options, data)
  }
  writeFileSync(mark, hash, { mode: 0o600 })
  return data
}

function create(options: PostgresData, data: string): void {
  // Made beside its place and moved there when whole, so that a start that was killed leaves no half cluster.
  const unfinished = `${data}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  if (options.user !== undefined) chownSync(unfinished, options.user.uid, options.user.gid)
  // The locale is PostgreSQL's own, so that the order of texts does not change with the system's C library.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8']
  run(options, 'initdb', ['-D', unfinished, '-U', roleName, '--auth=trust', '--no-instructions', ...locale])
  inSingleUserMode(options, unfinished, [passwordStatement(options.password), `CREATE DATABASE ${roleName};`])
  // From the first real start on, the password is asked for.
  writeFileSync(
    path.join(unfinished, 'pg_hba.conf'),
    ['all', 'replication'].map((database) => `host ${database} all 127.0.0.1/32 scram-sha-256\n`).join(''),
  )
  renameSync(unfinished, data)
}

function passwordStatement(password: string): string {
  if (/[\r\n\0]/.test(password)) throw new ServerFailed('The password of PostgreSQL holds a line break.')
  return `ALTER ROLE ${roleName} PASSWORD '${password.replaceAll("'", "''")}';`
}

/** Without a listening server; statements go through stdin, so the password is on no command line. */
function inSingleUserMode(options: PostgresData, data: string, statements: readonly string[]): void {
  const output = run(options, 'postgres', ['--single', '-D', data, 'postgres'], `${statements.join('\n')}\n`)
  if (/\b(ERROR|FATAL|PANIC):/.test(output))
    throw new ServerFailed(`PostgreSQL could not be set up.\n${output}`)
}

function run(options: PostgresData, program: string, args: readonly string[], input = ''): string {
  const result: SpawnSyncReturns<string> = spawnSync(path.join(options.binaries, 'bin', program), args, {
    ...options.user,
    cwd: '/',
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
    input,
    timeout: 120_000,
  })
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`
  if (result.status === 0) return output
  const how = result.error?.message ?? result.signal ?? `exit code ${String(result.status)}`
  throw new ServerFailed(`${program} failed (${how}).\n${output}`.trimEnd())
}
