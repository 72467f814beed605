import { MillraceError } from '@millrace/event'
import { parseAddress } from './address.ts'

/** Brings a value to the one form in which two values count as the same. Throws `event.invalid` where it has none. */
export type Normaliser = (value: string) => string

/**
 * The normalisers by name, each with its versions from 1. A published version never changes, because claims
 * were digested with it: a better one is added at the end, and a rotation of the keyring brings it in.
 */
export type Normalisers = Readonly<Record<string, readonly Normaliser[]>>

/** The normalisers that come with Millrace: `email`, `text` (trim, NFC, case) and `exact`. */
export const normalisers: Normalisers = { email: [emailV1], text: [textV1], exact: [exactV1] }

function emailV1(value: string): string {
  const result = parseAddress(value)
  if (!result.ok) throw new MillraceError('event.invalid', result.message)
  return `${folded(result.address.local)}@${result.address.host}`
}

function textV1(value: string): string {
  const text = folded(value.trim())
  if (text === '') throw new MillraceError('event.invalid', 'The value is blank')
  return text
}

function exactV1(value: string): string {
  if (value === '') throw new MillraceError('event.invalid', 'The value is empty')
  return value
}

// oxlint-disable-next-line no-control-regex -- all of ASCII is what is meant
const ascii = /^[\u0000-\u007f]*$/

// Lower case can leave NFC ("İ" becomes two characters), so it is composed again. "Σ" becomes "ς" or "σ" by what
// follows it, so that the way through upper case would lead to another value: both count as "σ".
function folded(text: string): string {
  if (ascii.test(text)) return text.toLowerCase()
  if (!text.isWellFormed())
    throw new MillraceError('event.invalid', 'The value holds half of a surrogate pair')
  return text.normalize('NFC').toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}

/** The newest version of `normaliser` that is not above `version`. */
export function normaliserAt(all: Normalisers, name: string, version: number): Normaliser {
  const versions = Object.hasOwn(all, name) ? all[name] : undefined
  const normaliser = versions?.[Math.min(version, versions.length) - 1]
  if (!normaliser)
    throw new TypeError(`There is no normaliser "${name}"; there are ${Object.keys(all).join(', ')}`)
  return normaliser
}
