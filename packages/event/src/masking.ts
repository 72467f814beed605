/** An e-mail address as it may be seen: `anna@example.org` becomes `a***@example.org`. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@')
  if (at < 0) return '***'
  const [first = ''] = address
  return `${at === 0 ? '' : first}***${address.slice(at)}`
}

type Mask = readonly [pattern: RegExp, replace: (...found: string[]) => string]

// Order matters: credentials of a URL hold an @ and would otherwise be taken for an address. Repetitions are
// bounded, because log lines carry text from outside and these patterns must not be made slow by it.
const masks: readonly Mask[] = [
  [
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,8192}?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
    () => '***',
  ],
  [/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/]{0,512}@/gi, (_all, scheme = '') => `${scheme}***@`],
  [/\b(bearer|basic)\s{1,4}[A-Za-z0-9\-._~+/]{8,}=*/gi, (_all, scheme = '') => `${scheme} ***`],
  // JSON Web Tokens: three parts, the first of which begins with {" in base64url.
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, () => '***'],
  [
    /\b([\w-]{0,40}(?:password|passwd|secret|token|api[-_]?key|authorization|cookie))(["']?\s{0,4}[=:]\s{0,4}["']?)(?!\*\*\*)[^\s"'&,;}]+/gi,
    (_all, name = '', sign = '') => `${name}${sign}***`,
  ],
  // The local part may be quoted, the host an address in brackets.
  [
    /(?:"[^"\n]{1,320}"|[^\s@<>"'(),;:=\\[\]/*]{1,320})@(?:\[[^\]\s]{1,64}\]|[^\s@<>"'(),;:=\\[\]/]{1,320})/g,
    (address = '') => maskAddress(address),
  ],
  [
    /[A-Za-z0-9+/_-]{20,}={0,2}/g,
    (text = '') => (text.endsWith('=') ? '***' : text.split('/').map(maskRandom).join('/')),
  ],
]

// Long random text: keys and tokens mix cases and digits; words, ids and most names do not.
function maskRandom(text: string): string {
  return text.length >= 32 && /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text) ? '***' : text
}

/** Text without what looks like a secret or an e-mail address; at most 8,192 characters of it. */
export function maskText(text: string): string {
  let masked = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text
  for (const [pattern, replace] of masks) masked = masked.replace(pattern, replace)
  return masked
}

// Bounds the work of the patterns on text from outside.
const mostCharacters = 8_192
