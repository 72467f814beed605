import { hmacSha256 } from './hmac.ts'
import { MillraceError } from '@millrace/event'
import { normaliserAt, type Normalisers, normalisers as own } from './normalise.ts'

/** One live pair of secret and normaliser; claims are digested under each. */
export interface DigestKey {
  /** Name of the pair, stored beside each digest: letters and digits. */
  readonly version: string
  /** At least 16 bytes. */
  readonly secret: Uint8Array
  /** Version of the normalisers that goes with it, from 1. */
  readonly normaliser: number
}

/** The pairs that this program holds. */
export interface Keyring {
  readonly versions: readonly string[]
  /** The part of the keyring with these versions. @throws MillraceError `append.keyring` when one is missing */
  only(versions: readonly string[]): Keyring
  /**
   * Digests of a value of one constraint, by version. The value itself is never stored.
   *
   * @param kinds normaliser of each field
   * @throws MillraceError `event.invalid` when a field has no normal form
   */
  digests(
    constraint: string,
    kinds: readonly string[],
    values: readonly string[],
  ): Readonly<Record<string, string>>
}

// 128 bits: no two of 2^40 values meet but by a chance of 2^-49.
const digestBytes = 16

/** Makes a keyring. The first key need not be the oldest; all are used for every claim. */
export function createKeyring(keys: readonly DigestKey[], normalisers: Normalisers = own): Keyring {
  if (keys.length === 0) throw new TypeError('A keyring has at least one key')
  const versions = keys.map((key) => key.version)
  if (new Set(versions).size !== versions.length) throw new TypeError('A keyring names a version twice')
  for (const key of keys) {
    if (!/^[a-z0-9]{1,16}$/i.test(key.version))
      throw new TypeError('A keyring version is letters and digits, at most 16')
    if (key.secret.byteLength < 16)
      throw new TypeError(`The secret of keyring version ${key.version} is shorter than 16 bytes`)
  }
  const digesters = keys.map((key) => digester(key, normalisers))
  return {
    versions,
    only: (wanted) => {
      const missing = wanted.find((version) => !versions.includes(version))
      if (missing !== undefined)
        throw new MillraceError('append.keyring', `The keyring has no version ${missing}`)
      return createKeyring(
        keys.filter((key) => wanted.includes(key.version)),
        normalisers,
      )
    },
    digests: (constraint, kinds, values) => {
      const digests: Record<string, string> = {}
      for (const [version, digest] of digesters) digests[version] = digest(constraint, kinds, values)
      return digests
    },
  }
}

type Digest = (constraint: string, kinds: readonly string[], values: readonly string[]) => string

function digester(key: DigestKey, all: Normalisers): readonly [version: string, digest: Digest] {
  const hmac = hmacSha256(key.secret)
  return [
    key.version,
    (constraint, kinds, values) => {
      let message = constraint
      for (let at = 0; at < kinds.length; at++) {
        const text = normaliserAt(all, kinds[at] ?? '', key.normaliser)(values[at] ?? '')
        // With its length, so that ("ab", "c") and ("a", "bc") differ.
        message += `\n${Buffer.byteLength(text)}:${text}`
      }
      return hmac(message).toString('base64url', 0, digestBytes)
    },
  ]
}

/**
 * Reads a keyring from text: `version:secret in base64[:normaliser]`, comma separated.
 *
 * @throws MillraceError `settings.invalid`, without the secret
 */
export function readKeyring(text: string, normalisers: Normalisers = own): Keyring {
  const keys = text.split(',').map((part) => {
    const match = /^([a-z0-9]{1,16}):([A-Za-z0-9+/_-]{22,}={0,2})(?::(\d{1,3}))?$/i.exec(part.trim())
    if (!match)
      throw new MillraceError(
        'settings.invalid',
        'A keyring is version:secret in base64[:normaliser], comma separated, each secret at least 16 bytes',
      )
    return {
      version: match[1] ?? '',
      secret: Buffer.from(match[2] ?? '', 'base64'),
      normaliser: Number(match[3] ?? 1),
    }
  })
  try {
    return createKeyring(keys, normalisers)
  } catch (cause) {
    throw new MillraceError(
      'settings.invalid',
      cause instanceof Error ? cause.message : 'The keyring is wrong',
      { cause },
    )
  }
}
