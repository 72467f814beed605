import { parseAddress } from '@millrace/uniq'
import { z } from 'zod'

/** Bounds of what a visitor types. */
export const fieldBounds = {
  /** Characters (code points) of a username. */
  usernameCharacters: 64,
  passwordCharacters: 8,
  /** Bytes of UTF-8 of a password: what one costs to hash is bounded too. */
  passwordBytes: 1_024,
} as const

/**
 * A username: trimmed, NFC, 1 to 64 characters, at least one of them visible, and none that controls how text
 * around it is shown. Spaces, letters of any script and emoji are welcome.
 */
export const usernameField = z
  .string()
  .overwrite((text) => text.trim().normalize('NFC'))
  .check((field) => {
    const message = usernameFault(field.value)
    if (message !== undefined) field.issues.push({ code: 'custom', message, input: field.value })
  })
  .meta({ minLength: 1, maxLength: fieldBounds.usernameCharacters })

function usernameFault(text: string): string | undefined {
  if (!text.isWellFormed()) return 'holds half of a surrogate pair'
  if (text === '') return 'is needed'
  // Line and paragraph separators and the bidirectional controls rearrange the page around them.
  if (/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff]/u.test(text)) return 'holds a control character'
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(text)) return 'has no visible character'
  if (Array.from(text).length > fieldBounds.usernameCharacters)
    return `has more than ${fieldBounds.usernameCharacters} characters`
  return undefined
}

/** An address that mail can be sent to; the output is it as typed, trimmed and in NFC. */
export const emailField = z
  .string()
  .check((field) => {
    const result = parseAddress(field.value)
    if (result.ok) field.value = result.address.text
    else field.issues.push({ code: 'custom', message: result.message, input: field.value })
  })
  .meta({ format: 'email', maxLength: 254 })

/** A new password, in NFC so that every keyboard gives the same bytes. */
export const newPasswordField = z
  .string()
  .overwrite(normalPassword)
  .check((field) => {
    const message = passwordFault(field.value)
    // Never the input itself: an issue may be shown or logged.
    if (message !== undefined) field.issues.push({ code: 'custom', message, input: undefined })
  })
  .meta({
    format: 'password',
    minLength: fieldBounds.passwordCharacters,
    description: `At most ${fieldBounds.passwordBytes} bytes of UTF-8`,
  })

/** A password that is compared with the stored one: the rules of its time may have been others. */
export const knownPasswordField = z
  .string()
  .overwrite(normalPassword)
  .check((field) => {
    const message = field.value === '' ? 'is needed' : lengthFault(field.value)
    if (message !== undefined) field.issues.push({ code: 'custom', message, input: undefined })
  })
  .meta({ format: 'password', minLength: 1 })

function normalPassword(text: string): string {
  return text.normalize('NFC')
}

function passwordFault(text: string): string | undefined {
  if (text.trim() === '') return 'is needed'
  if (Array.from(text).length < fieldBounds.passwordCharacters)
    return `has fewer than ${fieldBounds.passwordCharacters} characters`
  return lengthFault(text)
}

function lengthFault(text: string): string | undefined {
  return Buffer.byteLength(text) > fieldBounds.passwordBytes
    ? `is longer than ${fieldBounds.passwordBytes} bytes`
    : undefined
}
