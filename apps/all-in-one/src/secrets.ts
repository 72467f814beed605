import { hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { MillraceError } from '@millrace/event'
import type { Settings } from './settings.ts'

/** The secrets of the system, by the names of their settings. Never printed, never on a command line. */
export interface Secrets {
  /** The master secret; the keys for each purpose derive from it (HKDF). */
  readonly MILLRACE_SECRET: string
  /** Bearer token of calls between services. */
  readonly SERVICE_TOKEN: string
  /** Bearer token of producers and consumers of topics over HTTP. */
  readonly INTAKE_TOKEN: string
  /** What operators log in to the console with. */
  readonly CONSOLE_TOKEN: string
  /** What those log in with who may look and change nothing. */
  readonly CONSOLE_VIEWER_TOKEN: string
  /** Keys of the claims' digests by version: `1:base64[,2:base64]`. */
  readonly UNIQ_KEYRING: string
  /** Of the private Redis. */
  readonly REDIS_PASSWORD: string
  /** Of the private PostgreSQL. */
  readonly POSTGRES_PASSWORD: string
}

const fileMode = 0o600

/** Where the secrets of a home are. */
export function secretsFile(home: string): string {
  return path.join(home, 'secrets.json')
}

/**
 * The secrets from the settings, else from `secrets.json`, else made now and kept there (mode 0600). All but the
 * master secret and the private servers' passwords derive from the master secret, so that two machines with the same
 * MILLRACE_SECRET agree on them. What the settings give is never written down.
 *
 * @throws MillraceError `settings.invalid` when the file cannot be read or understood
 */
export function loadSecrets(home: string, settings: Settings, say: (sentence: string) => void): Secrets {
  const file = secretsFile(home)
  const kept = readKept(file)
  if (kept !== undefined && (statSync(file).mode & 0o077) !== 0) {
    chmodSync(file, fileMode)
    say(`${file} could be read by others; now it cannot.`)
  }
  const made: Record<string, string> = {}
  const find = (name: keyof Secrets, given: string | undefined, make: () => string): string => {
    if (given !== undefined) return given
    return (made[name] = kept?.[name] ?? make())
  }
  const master = find('MILLRACE_SECRET', settings.MILLRACE_SECRET, () => randomText(32))
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', master, '', `millrace ${purpose}`, 32))
  const secrets: Secrets = {
    MILLRACE_SECRET: master,
    SERVICE_TOKEN: find('SERVICE_TOKEN', settings.SERVICE_TOKEN, () =>
      derive('service-token').toString('base64url'),
    ),
    INTAKE_TOKEN: find('INTAKE_TOKEN', settings.INTAKE_TOKEN, () =>
      derive('intake-token').toString('base64url'),
    ),
    CONSOLE_TOKEN: find('CONSOLE_TOKEN', settings.CONSOLE_TOKEN, () =>
      derive('console-token').toString('base64url'),
    ),
    CONSOLE_VIEWER_TOKEN: find('CONSOLE_VIEWER_TOKEN', settings.CONSOLE_VIEWER_TOKEN, () =>
      derive('console-viewer-token').toString('base64url'),
    ),
    UNIQ_KEYRING: find(
      'UNIQ_KEYRING',
      settings.UNIQ_KEYRING,
      () => `1:${derive('uniq-keyring-1').toString('base64')}`,
    ),
    REDIS_PASSWORD: find('REDIS_PASSWORD', undefined, () => randomText(24)),
    POSTGRES_PASSWORD: find('POSTGRES_PASSWORD', undefined, () => randomText(24)),
  }
  if (JSON.stringify({ ...kept, ...made }) !== JSON.stringify(kept)) write(file, { ...kept, ...made })
  return secrets
}

function randomText(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

function readKept(file: string): Record<string, string> | undefined {
  if (!existsSync(file)) return undefined
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    // Made anew, they would no longer fit the data: the claims' digests among it.
    throw new MillraceError('settings.invalid', `${file} cannot be read: ${why}. Bring back the right one.`, {
      cause,
    })
  }
  if (typeof content === 'object' && content !== null && Object.values(content).every(isText))
    return { ...content } as Record<string, string>
  throw new MillraceError(
    'settings.invalid',
    `${file} must be one JSON object of texts. Bring back the right one.`,
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

/** In one step, so that a crash leaves the old file or the new one. */
function write(file: string, content: Readonly<Record<string, string>>): void {
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, `${JSON.stringify(content, null, 2)}\n`, { mode: fileMode, flush: true })
  renameSync(fresh, file)
}
