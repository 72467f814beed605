import { MillraceError } from '@millrace/event'

/** Whether a version of an account is one that the caller allows. */
export type VersionMatch = (version: number) => boolean

/** The entity tag of a version of an account. */
export function entityTag(version: number): string {
  return `"${version}"`
}

/**
 * Reads `If-Match` (RFC 9110, 13.1.1): entity tags with commas between, or `*`. Weak tags never match.
 *
 * @throws MillraceError `request.invalid`
 */
export function readIfMatch(header: string | undefined): VersionMatch | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (text === '*') return () => true
  const tags = text.split(',').map((tag) => tag.trim())
  if (tags.length > 20 || tags.some((tag) => !/^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) {
    const message = 'holds entity tags in quotes, as ETag gave them, or *'
    throw new MillraceError('request.invalid', `If-Match ${message}`, {
      errors: [{ field: 'If-Match', message }],
    })
  }
  return (version) => tags.includes(entityTag(version))
}
