const maxLength = 40

// Bidirectional controls turn the text around them; the other format characters are invisible. The joiners
// (U+200C, U+200D) stay: Persian names and emoji are spelled with them.
const invisible = /[\p{Cc}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu
// Mail programs turn all of these into links, full-width dots included.
const linkLike = /:\/\/|@|\bwww\b|[\p{L}\p{N}][.。．｡][\p{L}\p{N}]{2,}/iu
const piledMarks = /\p{M}{4,}/u

/**
 * How the mail greets. Anybody can have a mail sent to anybody by signing up in his name, so the name must
 * not become a message of its own: one that is long or reads like a link is left out.
 */
export function greetingOf(name: string | undefined): string {
  const plain = (name ?? '').toWellFormed().replace(invisible, ' ').replace(/\s+/g, ' ').trim()
  const harmless = plain !== '' && Array.from(plain).length <= maxLength && !linkLike.test(plain)
  return harmless && !piledMarks.test(plain) ? `Hello ${plain},` : 'Hello,'
}
