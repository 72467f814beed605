import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { MillraceError } from '@millrace/event'

/** Where the system is that a command speaks to. */
export interface RunningSystem {
  readonly redisUrl: string
  readonly databaseUrl: string | undefined
  /** Undefined where nobody has said it; only what works on claims needs it. */
  readonly keyring: string | undefined
  /** MILLRACE_SECRET: only what reads the keys of jobs needs it. */
  readonly secret: string | undefined
  readonly constraintsFile: string | undefined
}

/**
 * Finds the system: what the environment names (REDIS_URL, DATABASE_URL, UNIQ_KEYRING), else what `npm start`
 * noted in MILLRACE_HOME.
 *
 * @throws MillraceError `settings.invalid` when there is neither
 */
export function findSystem(env: NodeJS.ProcessEnv): RunningSystem {
  const home = env['MILLRACE_HOME'] ?? '.millrace'
  const noted = readNote(path.join(home, 'running.json'))
  const secrets = readNote(path.join(home, 'secrets.json'))
  const redisUrl = env['REDIS_URL'] ?? noted['redisUrl']
  const keyring = env['UNIQ_KEYRING'] ?? secrets['UNIQ_KEYRING']
  if (redisUrl === undefined)
    throw new MillraceError(
      'settings.invalid',
      `No system runs on ${home}. Start one with npm start, or set REDIS_URL or MILLRACE_HOME.`,
    )
  return {
    redisUrl,
    databaseUrl: env['DATABASE_URL'] ?? noted['databaseUrl'],
    keyring,
    secret: env['MILLRACE_SECRET'] ?? secrets['MILLRACE_SECRET'],
    constraintsFile: env['UNIQ_CONSTRAINTS'],
  }
}

/** Where the database of a system is. @throws MillraceError `settings.invalid`, without the address: it may hold a password */
export function databaseOf({ databaseUrl: url }: Pick<RunningSystem, 'databaseUrl'>): string {
  if (url === undefined)
    throw new MillraceError('settings.invalid', 'There is no database: set DATABASE_URL, or start the system')
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return url
  throw new MillraceError(
    'settings.invalid',
    'DATABASE_URL must be an address such as postgres://user:password@host:5432/name',
  )
}

/** Where operations of the system are reached, and the token that opens them. */
export function findOperations(env: NodeJS.ProcessEnv): { readonly url: string; readonly token: string } {
  const secrets = readNote(path.join(env['MILLRACE_HOME'] ?? '.millrace', 'secrets.json'))
  return {
    url: `http://127.0.0.1:${env['OPS_PORT'] ?? 3002}`,
    token: env['CONSOLE_TOKEN'] ?? secrets['CONSOLE_TOKEN'] ?? '',
  }
}

/** A service of the system, and the token that it asks of other services. */
export interface RunningService {
  /** Without a slash at its end. */
  readonly url: string
  readonly token: string
}

/**
 * Finds a service: where the environment says (`<name>_URL`, else `<name>_PORT` of this machine), with SERVICE_TOKEN of
 * the environment or of MILLRACE_HOME.
 *
 * @throws MillraceError `settings.invalid`
 */
export function findService(
  env: NodeJS.ProcessEnv,
  name: 'RESTOCKING' | 'LEGACY_LEADS',
  usualPort: number,
): RunningService {
  const secrets = readNote(path.join(env['MILLRACE_HOME'] ?? '.millrace', 'secrets.json'))
  const given = env[`${name}_URL`]
  const url = given ?? `http://127.0.0.1:${env[`${name}_PORT`] ?? usualPort}`
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new MillraceError(
      'settings.invalid',
      given === undefined
        ? `${name}_PORT must be the number of a port`
        : `${name}_URL must be an address such as http://127.0.0.1:${usualPort}`,
    )
  return {
    url: url.replace(/\/+$/, ''),
    token: env['SERVICE_TOKEN'] ?? secrets['SERVICE_TOKEN'] ?? '',
  }
}

function readNote(file: string): Readonly<Record<string, string | undefined>> {
  if (!existsSync(file)) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
  } catch (cause) {
    throw new MillraceError('settings.invalid', `${file} cannot be read`, { cause })
  }
}
