import { domainToASCII } from 'node:url'
import { mailError } from './mail-failure.ts'

/** An address in the form that goes over the wire. */
export interface MailAddress {
  /** Local part as it was given, domain in ASCII (RFC 5890). */
  readonly address: string
  /** The local part is not ASCII: the server must speak SMTPUTF8 (RFC 6531). */
  readonly international: boolean
}

// RFC 5321 4.5.3.1: octets. RFC 6532 lets an atom hold any character beyond ASCII.
const maxLocalBytes = 64
const maxAddressBytes = 254
const atoms = /^[\p{L}\p{M}\p{N}\p{S}\p{P}]+$/u
const atomSpecials = /[()<>[\]:;@\\,"\s]/
const quoted = /^"(?:[^"\\\p{Cc}<>]|\\[^\p{Cc}<>])*"$/u
const literal = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]{2,45})\]$/i

/**
 * Brings an address into the form for the envelope, or refuses it (`mail.refused`) before anything is
 * sent. Angle brackets are refused even in a quoted local part: they end the address in `RCPT TO:<…>`.
 */
export function mailAddress(input: string): MailAddress {
  const at = input.lastIndexOf('@')
  const local = input.slice(0, Math.max(at, 0))
  const domain = asciiDomain(input.slice(at + 1))
  const address = `${local}@${domain ?? ''}`
  const valid = at > 0 && domain !== undefined && input.isWellFormed() && isLocalPart(local)
  if (!valid || Buffer.byteLength(local) > maxLocalBytes || Buffer.byteLength(address) > maxAddressBytes) {
    throw mailError('mail.refused', { scope: 'message', step: 'address', reason: 'invalid-address' })
  }
  return { address, international: !isAscii(local) }
}

function isLocalPart(local: string): boolean {
  if (local.startsWith('"')) return local.length > 2 && quoted.test(local)
  return local.split('.').every((atom) => atoms.test(atom) && !atomSpecials.test(atom))
}

function asciiDomain(domain: string): string | undefined {
  if (literal.test(domain)) return domain
  // domainToASCII would also take a port's worth of URL syntax apart; only letters, digits and marks pass.
  if (!/^[\p{L}\p{M}\p{N}.。-]+$/u.test(domain)) return undefined
  const ascii = domainToASCII(domain)
  const labels = ascii.split('.')
  const fits = labels.every((label) => label.length > 0 && label.length <= 63)
  return ascii !== '' && fits ? ascii : undefined
}

function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text)
}
