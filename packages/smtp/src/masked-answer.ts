const maxLength = 300

/** Characters that are looked at: what the masks cost grows with the square of a word's length. */
const maxRead = 4_000

/**
 * A provider's answer made fit for logs and dead letters: one line, bounded, addresses and links masked
 * (servers repeat the whole address, and some put a link with a token beside it).
 */
export function maskedAnswer(answer: string): string {
  const line = begunWith(answer)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  const masked = line
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s<>"']+/gi, (link) => `${link.slice(0, link.indexOf(':'))}://***`)
    .replace(
      /("(?:[^"\\]|\\.)*"|[^\s<>()"',;:]+)@(\[[^\]\s]*\]|[^\s<>()"',;:]+)/gu,
      (_match, local: string, domain: string) => maskedAddressParts(local, domain),
    )
  return masked.length <= maxLength ? masked : `${masked.slice(0, maxLength - 1).toWellFormed()}…`
}

/** Its beginning, up to the end of a word: of half an address nobody could tell that it is one. */
function begunWith(answer: string): string {
  if (answer.length <= maxRead) return answer
  const begun = answer.slice(0, maxRead)
  const words = /^[^]*\s/.exec(begun)?.[0] ?? begun
  return `${words}…`
}

/** `jane@example.org` as `j***@example.org`: enough for an operator, not for a stranger. */
export function maskedAddress(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 1 ? '***' : maskedAddressParts(address.slice(0, at), address.slice(at + 1))
}

function maskedAddressParts(local: string, domain: string): string {
  const first = local.startsWith('"') ? '"' : (Array.from(local)[0] ?? '')
  return `${first}***@${domain}`
}
