import { MillraceError } from '@millrace/event'

/** The entity tag of an offer: how many facts it has. */
export function entityTag(version: number): string {
  return `"${version}"`
}

/**
 * The version of an offer that a request expects: of `If-Match` (one strong entity tag, RFC 9110, 13.1.1) or of the
 * body. Undefined: any.
 *
 * @throws MillraceError `request.invalid` when the header cannot be read, or says something else than the body
 */
export function expectedVersion(ifMatch: string | undefined, inBody: number | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return inBody
  const version = Number(/^\s*"([1-9]\d{0,8})"\s*$/.exec(ifMatch)?.[1])
  if (Number.isNaN(version)) throw wrong('is one entity tag as ETag gave it, or *')
  if (inBody !== undefined && inBody !== version) throw wrong('says another version than the body')
  return version
}

function wrong(message: string): MillraceError {
  return new MillraceError('request.invalid', `If-Match ${message}`, {
    errors: [{ field: 'If-Match', message }],
  })
}
