import { MillraceError } from '@millrace/event'

/** Why an address cannot be read: its percent-encoding does not decode to UTF-8, or it holds U+0000. */
export function addressFault(url: string): MillraceError | undefined {
  if (!url.includes('%')) return undefined
  let decoded: string
  try {
    decoded = decodeURIComponent(url)
  } catch (cause) {
    return new MillraceError('request.malformed', 'The address has an invalid percent-encoding', { cause })
  }
  return decoded.includes('\0')
    ? new MillraceError('request.malformed', 'The address holds the character U+0000')
    : undefined
}
