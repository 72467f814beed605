import { MillraceError } from '@millrace/event'

/** What one hash costs (Argon2id, RFC 9106). */
export interface PasswordCost {
  readonly memoryKiB: number
  readonly passes: number
  readonly parallelism: number
}

/** `default` is what OWASP's Password Storage Cheat Sheet recommends; `cheap` is for tests only. */
export const passwordCosts = {
  default: { memoryKiB: 19_456, passes: 2, parallelism: 1 },
  cheap: { memoryKiB: 8, passes: 1, parallelism: 1 },
} as const satisfies Readonly<Record<string, PasswordCost>>

/** A hash with all that is needed to compare a password with it. */
export interface PasswordHash {
  readonly cost: PasswordCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** In the PHC string format: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export function phcText({ cost, salt, hash }: PasswordHash): string {
  const { memoryKiB, passes, parallelism } = cost
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`
}

const pattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/

// A hash from elsewhere must not make this service spend a gigabyte on a sign-in.
const mostMemoryKiB = 262_144

/**
 * Reads what {@link phcText} wrote.
 *
 * @throws MillraceError `log.corrupt`
 */
export function readPhc(text: string): PasswordHash {
  const [, memory = '', passes = '', parallelism = '', salt = '', hash = ''] = pattern.exec(text) ?? []
  const cost = { memoryKiB: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  if (hash === '' || cost.memoryKiB > mostMemoryKiB || cost.passes < 1 || cost.parallelism < 1)
    throw new MillraceError('log.corrupt', 'An account holds a password hash that cannot be read')
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
