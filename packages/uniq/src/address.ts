import { domainToASCII } from 'node:url'

/** An e-mail address that mail can be sent to. */
export interface Address {
  /** As it was typed, trimmed and in NFC. */
  readonly text: string
  readonly local: string
  /** The host in ASCII (IDN as `xn--…`), lower case. */
  readonly host: string
}

/** An address, or why the text is none, as a sentence for the person who typed it. */
export type AddressResult =
  | { readonly ok: true; readonly address: Address }
  | { readonly ok: false; readonly message: string }

// RFC 5321 4.5.3.1 and RFC 5322 3.2.3; beyond ASCII as RFC 6531 allows.
const localBytes = 64
const addressBytes = 254
const atom = /(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\u0000-\u007f])+/u.source
const localPattern = new RegExp(`^${atom}(\\.${atom})*$`, 'u')
// What nearly every address looks like: ASCII, and a last label of letters, so that nothing has to be brought to
// another form. Tells in a tenth of the time what the exact look below tells.
const plainPattern =
  /^([\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})$/i
const hostPattern = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/

/**
 * Reads an e-mail address as people type it. Quoted local parts, comments and address literals are legal in
 * RFC 5322 and refused here: hardly a provider delivers to them, and each is a way to write one address twice.
 */
export function parseAddress(input: string): AddressResult {
  return plainAddress(input) ?? exactAddress(input)
}

function plainAddress(text: string): AddressResult | undefined {
  if (text.length > addressBytes) return undefined
  const [, local = '', host = ''] = plainPattern.exec(text) ?? []
  if (host === '' || local.length > localBytes) return undefined
  const ascii = host.toLowerCase()
  // Labels in Punycode are decoded and checked.
  return ascii.includes('xn--') ? undefined : { ok: true, address: { text, local, host: ascii } }
}

function exactAddress(input: string): AddressResult {
  if (!input.isWellFormed()) return no('The address holds half of a surrogate pair')
  const text = input.trim().normalize('NFC')
  if (text === '') return no('An address is needed')
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text))
    return no('The address holds a control character or an invisible one')
  if (Buffer.byteLength(text) > addressBytes) return no(`The address is longer than ${addressBytes} bytes`)
  const at = text.lastIndexOf('@')
  if (at < 0) return no('The address has no @')
  const local = text.slice(0, at)
  const host = text.slice(at + 1)
  return localFault(local) ?? hostResult(text, local, host)
}

function localFault(local: string): AddressResult | undefined {
  if (local === '') return no('Nothing stands before the @')
  if (local.startsWith('"')) return no('Quoted addresses are not supported')
  if (/[()]/.test(local)) return no('Comments in addresses are not supported')
  if (/\s/.test(local)) return no('The address holds a space')
  if (local.includes('@')) return no('The address has more than one @')
  if (Buffer.byteLength(local) > localBytes)
    return no(`The part before the @ is longer than ${localBytes} bytes`)
  if (/^\.|\.\.|\.$/.test(local))
    return no('A dot stands at the edge of the part before the @, or twice in a row')
  if (!localPattern.test(local))
    return no('The part before the @ holds a character that addresses do not have')
  return undefined
}

function hostResult(text: string, local: string, host: string): AddressResult {
  if (host === '') return no('Nothing stands after the @')
  if (host.startsWith('[')) return no('Addresses at a bare IP number are not supported')
  if (/[()\s]/.test(host)) return no('The host holds a space or a comment')
  const ascii = domainToASCII(host).toLowerCase()
  if (/(^|\.)\d+$/.test(ascii)) return no('Addresses at a bare IP number are not supported')
  if (ascii === '' || !hostPattern.test(ascii)) return no('The part after the @ is no host name with a dot')
  return { ok: true, address: { text, local, host: ascii } }
}

function no(message: string): AddressResult {
  return { ok: false, message }
}
